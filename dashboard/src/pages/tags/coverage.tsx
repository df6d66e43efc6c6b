import { UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatShare } from '../../money/quantity.ts';

type CoverageProps = {
  /** From 0 to 1; null when nothing was spent. */
  readonly share: number | null;
  readonly title: string;
};

/** How many of the dollars carry a tag. */
export function Coverage({ share, title }: CoverageProps) {
  const part = share ?? 0;
  return (
    <span className="flex h-5 items-center gap-2.5" title={title}>
      <span aria-hidden className="h-1.5 min-w-12 flex-1 overflow-hidden rounded-full bg-sunken">
        <span
          className="block h-full rounded-full bg-accent"
          style={{ width: `${Math.min(100, part * 100)}%`, minWidth: part > 0 ? 2 : 0 }}
        />
      </span>
      <span className="w-11 text-right text-xs text-ink-2">{share === null ? UNKNOWN_AMOUNT : formatShare(share)}</span>
    </span>
  );
}
