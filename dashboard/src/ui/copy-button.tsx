import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';

const CONFIRM_MS = 1600;

type CopyButtonProps = { readonly text: string; readonly label: string };

export function CopyButton({ text, label }: CopyButtonProps) {
  const [copied, setCopied] = useState<'idle' | 'done' | 'refused'>('idle');
  useEffect(() => {
    if (copied === 'idle') return undefined;
    const timer = window.setTimeout(() => setCopied('idle'), CONFIRM_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    void writeClipboard(text).then((done) => setCopied(done ? 'done' : 'refused'));
  };
  return (
    <Button look="quiet" onClick={copy} aria-label={label} className="h-7 px-2 text-xs">
      {copied === 'done' ? (
        <Check aria-hidden className="size-3.5 text-good" />
      ) : (
        <Copy aria-hidden className="size-3.5" />
      )}
      <span aria-live="polite">
        {copied === 'idle' ? 'Copy' : copied === 'done' ? 'Copied' : 'Select and copy by hand'}
      </span>
    </Button>
  );
}

/** Browsers give pages over plain http no clipboard, except on localhost. */
async function writeClipboard(text: string): Promise<boolean> {
  if (!window.isSecureContext) return false;
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
