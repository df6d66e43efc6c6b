import type { DetailKept } from '../api/totals.ts';
import { plural } from '../money/quantity.ts';
import { dateIn } from '../time/zone.ts';

type DetailNoteProps = { readonly kept: DetailKept | null | undefined; readonly tz: string; readonly words: string };

/** How far back a list has more than sums; nothing where that is all the way. */
export function DetailNote({ kept, tz, words }: DetailNoteProps) {
  if (kept === null || kept === undefined) return null;
  return (
    <p className="text-xs text-ink-3">
      {words} are kept for {plural(kept.days, 'day')}, back to {dateIn(tz, Date.parse(kept.from))}. What is older is in
      every sum.
    </p>
  );
}
