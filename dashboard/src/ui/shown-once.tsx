import { CopyButton } from './copy-button.tsx';

type ShownOnceProps = { readonly title: string; readonly secret: string };

/** What nobody can read again: only its hash is kept. */
export function ShownOnce({ title, secret }: ShownOnceProps) {
  return (
    <output className="mx-4 block mb-3 rounded-md border border-line bg-sunken px-3 py-2">
      <span className="block text-xs text-ink-2">{title}. It is not shown again.</span>
      <span className="flex items-center gap-2">
        <code className="min-w-0 flex-1 text-[13px] break-all">{secret}</code>
        <CopyButton text={secret} label="Copy it" />
      </span>
    </output>
  );
}
