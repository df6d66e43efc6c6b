import { CircleAlert, RotateCw } from 'lucide-react';
import { Button } from './button.tsx';

type ProblemProps = { readonly title: string; readonly error: Error; readonly onRetry: () => void };

/** Says what went wrong in the gateway's own words, and offers the one thing to do about it. */
export function Problem({ title, error, onRetry }: ProblemProps) {
  return (
    <div role="alert" className="flex flex-wrap items-start gap-3 rounded-lg border border-bad-line bg-bad-soft p-4">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium text-ink">{title}</p>
        <p className="mt-0.5 break-words text-ink-2">{error.message}</p>
      </div>
      <Button onClick={onRetry}>
        <RotateCw aria-hidden className="size-3.5" />
        Retry
      </Button>
    </div>
  );
}
