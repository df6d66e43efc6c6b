import { setImmediate as breath } from 'node:timers/promises';
import { totalsOf } from '../store/shipment.ts';
import type { SeqRange, Totals } from '../store/store.ts';
import { openEntryReader } from './entry-reader.ts';
import { retiredThrough, retireSegment } from './retired.ts';
import { listSealed, readSealed, type SealedSegment } from './sealed-segment.ts';
import { picoUsd } from '#terms';
import type { TimestampMs } from '#std';

export type Retention = {
  /** How old a segment's youngest entry must be before the segment may go. */
  readonly ageMs: number;
  /** The last entry that nobody has to read from the journal any more: it is shipped, and chained. */
  released(): number;
  /** What the store has of a range. */
  stored(range: SeqRange): Promise<Totals>;
};

/** What became of the oldest sealed segment. `kept`: it was due, but the store does not have what is in it. */
export type Retired =
  | { readonly is: 'retired' | 'kept'; readonly sealed: SealedSegment; readonly totals: Totals }
  | { readonly is: 'none' };

/**
 * Removes the oldest sealed segment when it is due, and only when the store has all of its rows: as many, with the same sum. One at a
 * time, so that a clock that jumps ahead does not take everything at once.
 */
export async function retireOldest(dir: string, retention: Retention, now: TimestampMs): Promise<Retired> {
  const [oldest] = listSealed(dir);
  if (oldest === undefined) return { is: 'none' };
  const sealed = readSealed(dir, oldest);
  const cut = retiredThrough(dir) >= sealed.lastSeq;
  const due = Date.parse(sealed.sealedAt) <= now - retention.ageMs && sealed.lastSeq <= retention.released();
  if (!cut && !due) return { is: 'none' };
  const totals = await journalTotals(dir, sealed);
  if (!cut && !(await isStored(retention, { sealed, totals }))) return { is: 'kept', sealed, totals };
  retireSegment(dir, sealed, { cost: String(totals.cost), retiredAt: new Date(now).toISOString() });
  return { is: 'retired', sealed, totals };
}

const BATCH = { maxEntries: 1000, maxBytes: 4 * 1024 * 1024 };

async function journalTotals(dir: string, { header, lastSeq }: SealedSegment): Promise<Totals> {
  const reader = openEntryReader(dir);
  let [entries, cost] = [0, 0n];
  try {
    for (let after = header.first_seq - 1; after < lastSeq;) {
      const next = reader.next({ after, through: lastSeq, ...BATCH });
      const totals = totalsOf(next);
      entries += totals.entries;
      cost += totals.cost;
      after = next.at(-1)?.seq ?? lastSeq;
      await breath();
    }
  } finally {
    reader.close();
  }
  return { entries, cost: picoUsd(cost) };
}

async function isStored(
  { stored }: Retention,
  { sealed, totals }: { readonly sealed: SealedSegment; readonly totals: Totals },
): Promise<boolean> {
  const { header, lastSeq } = sealed;
  if (totals.entries !== lastSeq - header.first_seq + 1) return false;
  if (totals.entries === 0) return true;
  const kept = await stored({ first: header.first_seq, last: lastSeq });
  return kept.entries === totals.entries && kept.cost === totals.cost;
}
