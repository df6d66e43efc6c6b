import type { BudgetBook, LimitBook } from '#budgets';
import type { TimestampMs } from '#std';
import { readEntryFacts, type EntryFacts } from './entry-facts.ts';
import { openEntryReader, type EntryReader } from './entry-reader.ts';
import { FrameReader } from './frame-reader.ts';
import { retiredThrough } from './retired.ts';
import { listSegments, readHeader, type SegmentHeader } from './segment.ts';
import { openSegmentFile } from './segment-file.ts';

/** Entries counted in one go: a millisecond or two, between which calls are served. */
const STEP_ENTRIES = 200;
const STEP_BYTES = 512 * 1024;

export type Books = { readonly budgets: BudgetBook; readonly limits: LimitBook };

/** Counts the entries of the journal in books of its own, a few at a time, until it has reached the newest. */
export class CatchUp {
  readonly books: Books;
  readonly #reader: EntryReader;
  #after: number;

  /** @param from what is counted already, and up to which entry */
  constructor(dir: string, from: { readonly books: Books; readonly after: number }) {
    this.books = from.books;
    this.#reader = openEntryReader(dir);
    this.#after = Math.max(from.after, retiredThrough(dir));
  }

  /** The last entry that is counted. */
  get after(): number {
    return this.#after;
  }

  /** Counts some of the entries up to `through`, all of which must be written. True when none is left. */
  step(through: number, now: TimestampMs): boolean {
    if (this.#after >= through) return true;
    const entries = this.#reader.next({
      after: this.#after,
      through,
      maxEntries: STEP_ENTRIES,
      maxBytes: STEP_BYTES,
    });
    for (const { seq, body } of entries) {
      countEntry(this.books, readEntryFacts(body.toString()), now);
      this.#after = seq;
    }
    return this.#after >= through;
  }

  close(): void {
    this.#reader.close();
  }
}

/** What an entry does to the counters when nobody was there to reserve for it. */
function countEntry({ budgets, limits }: Books, entry: EntryFacts, now: TimestampMs): void {
  const { attempt, call, at, cost, reserved } = entry;
  if (entry.kind !== 'attempt') {
    countLater(budgets, entry, now);
    return;
  }
  if (!budgets.holds(attempt)) budgets.count({ id: attempt, call, at, cost, reserved, now });
  limits.count({ call, at, tokens: entry.tokens, usd: cost, requests: entry.countsCall ? 1 : 0 });
}

/**
 * A correction or adjustment. One of an attempt in doubt says at last what that one cost, all of it: nothing was counted before. Any other
 * is a signed amount.
 */
export function countLater(
  budgets: BudgetBook,
  { attempt, kind, call, at, cost }: EntryFacts,
  now: TimestampMs,
): ReturnType<BudgetBook['correct']> {
  if (cost === null) return { crossings: [] };
  if (kind === 'correction' && cost >= 0n && budgets.holds(attempt))
    return budgets.settle(attempt, cost) ?? { crossings: [] };
  return budgets.correct({ call, delta: cost, effectiveAt: at, now });
}

/** Entries are written after their calls began; clocks may step a little. */
const CLOCK_MARGIN_MS = 60_000;

/** The last entry that is certainly of a call that began before `time`; null is before all. A segment's entries end after it was made. */
export function lastEntryBefore(dir: string, time: TimestampMs | null): number {
  if (time === null) return 0;
  for (const segment of listSegments(dir).toReversed()) {
    const header = headerOf(dir, segment);
    if (Date.parse(header.created_at) < time - CLOCK_MARGIN_MS) return header.first_seq - 1;
  }
  return 0;
}

function headerOf(dir: string, segment: number): SegmentHeader {
  const file = openSegmentFile(dir, segment);
  try {
    return readHeader(new FrameReader(file, { offset: 0, crc: 0 }), file.path);
  } finally {
    file.close();
  }
}
