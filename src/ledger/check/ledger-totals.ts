import type { EntryFields } from './entry-fields.ts';
import { Sums, valuesOf } from './ledger-sums.ts';

/** Sums of entries by the day (UTC) their attempt began. */
export type DaySums = ReadonlyMap<string, Sums>;

/**
 * What the journal adds up to, day by day, as far as somebody else has seen it: up to the sequence numbers that are asked for. As
 * large as the number of days.
 */
export class LedgerTotals {
  readonly #aside: ReadonlySet<number>;
  readonly #cuts: number[];
  readonly #atCut = new Map<number, DaySums>();
  readonly #days = new Map<string, Sums>();

  /** @param at.cuts where totals are wanted @param at.aside numbers of entries that are to be left out */
  constructor(at: { readonly cuts: readonly number[]; readonly aside: ReadonlySet<number> }) {
    this.#aside = at.aside;
    this.#cuts = [...new Set(at.cuts)].toSorted((left, right) => left - right);
  }

  /** @param seq rises */
  add(seq: number, entry: EntryFields): void {
    this.#cutBefore(seq);
    if (this.#aside.has(seq)) return;
    const day = dayOf(entry.effectiveAt);
    const sums = this.#days.get(day) ?? new Sums();
    sums.add(valuesOf(seq, entry));
    this.#days.set(day, sums);
  }

  /** Sums of the entries up to a number that was asked for, once all are added. */
  upTo(cut: number): DaySums {
    this.#cutBefore(Number.POSITIVE_INFINITY);
    return this.#atCut.get(cut) ?? new Map();
  }

  #cutBefore(seq: number): void {
    for (let [cut] = this.#cuts; cut !== undefined && cut < seq; [cut] = this.#cuts) {
      this.#atCut.set(cut, new Map(Array.from(this.#days, ([day, sums]) => [day, new Sums(sums.values)])));
      this.#cuts.shift();
    }
  }
}

export function sumOfDays(days: DaySums): Sums {
  const total = new Sums();
  for (const sums of days.values()) total.add(sums.values);
  return total;
}

/** The same days of several nodes put together. */
export function sumOfNodes(nodes: readonly DaySums[]): DaySums {
  const days = new Map<string, Sums>();
  for (const [day, sums] of nodes.flatMap((node) => [...node])) {
    const all = days.get(day) ?? new Sums();
    all.add(sums.values);
    days.set(day, all);
  }
  return days;
}

const DAY_MS = 86_400_000;

// Entries come in order of time, nearly: the same day's name is wanted thousands of times in a row.
let lastDay = { number: Number.NaN, name: '' };

function dayOf(ms: number): string {
  const number = Math.floor(ms / DAY_MS);
  if (number !== lastDay.number) lastDay = { number, name: new Date(number * DAY_MS).toISOString().slice(0, 10) };
  return lastDay.name;
}
