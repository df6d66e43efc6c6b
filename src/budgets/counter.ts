import { invariant, type TimestampMs } from '#std';
import { addTo, negated, NO_CHANGE, type Tally, type TallyChange } from './tally.ts';
import { type WindowCursor, type WindowSpan } from './window.ts';

/** What one scope instance has in one window, or in one step of a rolling one. */
export type Cell = {
  readonly counter: Counter;
  readonly span: WindowSpan;
  readonly tally: Tally;
  /** Running calls in it. */
  open: number;
};

/** One scope instance over time. */
export class Counter {
  readonly seriesKey: string;
  readonly instance: readonly string[];
  readonly #cursor: WindowCursor;
  readonly #cells = new Map<number, Cell>();
  /** The newest step, and the sum over all steps that count with it: kept for rolling windows only. */
  #newest: WindowSpan | null = null;
  readonly #rolling: Tally = { ...NO_CHANGE };

  constructor(owner: { readonly seriesKey: string; readonly instance: readonly string[] }, cursor: WindowCursor) {
    this.seriesKey = owner.seriesKey;
    this.instance = owner.instance;
    this.#cursor = cursor;
  }

  get cells(): Iterable<Cell> {
    return this.#cells.values();
  }

  get isEmpty(): boolean {
    return this.#cells.size === 0;
  }

  /** The cell that a call starting now is counted in. In a rolling window a late call counts from when it arrives. */
  open(at: TimestampMs): Cell {
    const span = this.#cursor.at(at);
    if (this.#cursor.reachMs === 0) return this.#cell(span);
    return this.#cell(this.#advance(span));
  }

  /** What counts towards a limit at `at`. */
  tallyAt(at: TimestampMs): TallyChange {
    const span = this.#cursor.at(at);
    if (this.#cursor.reachMs === 0) return this.#cells.get(span.start)?.tally ?? NO_CHANGE;
    this.#advance(span);
    return this.#rolling;
  }

  /** What counts together with a cell: the cell itself, or the rolling sum. */
  tallyOf(cell: Cell): TallyChange {
    return this.#cursor.reachMs === 0 ? cell.tally : this.#rolling;
  }

  /** The cell of an instant, unless its window is over at `now` and nothing of it is kept. */
  cellOf(effectiveAt: TimestampMs, now: TimestampMs): Cell | undefined {
    const span = this.#cursor.at(effectiveAt);
    const known = this.#cells.get(span.start);
    return known ?? (this.#isLive(span, now) ? this.#cell(span) : undefined);
  }

  /** The cell that was saved with this start. */
  restoredCell(start: TimestampMs): Cell {
    const span = this.#cursor.at(start);
    invariant(span.start === start, 'a saved window begins where its budget’s windows do');
    return this.#cell(span);
  }

  add(cell: Cell, change: TallyChange): void {
    if (this.#cursor.reachMs > 0) {
      this.#advance(cell.span);
      if (this.#counts(cell.span)) addTo(this.#rolling, change);
    }
    addTo(cell.tally, change);
    invariant(cell.tally.most >= 0n && cell.tally.likely >= 0n && cell.tally.atRisk >= 0n, 'nothing held is negative');
  }

  /** Takes away the cells of windows that are over and have no running call. */
  expire(now: TimestampMs): readonly Cell[] {
    const over = [...this.#cells.values()].filter((cell) => cell.open === 0 && !this.#isLive(cell.span, now));
    // What leaves the rolling sum is taken from it while its cell is still there.
    if (over.length > 0 && this.#cursor.reachMs > 0) this.#advance(this.#cursor.at(now));
    for (const cell of over) this.#cells.delete(cell.span.start);
    return over;
  }

  /**
   * When `need` of what counts now will count no longer; null when time alone never brings it back. What is held and in
   * doubt leaves with its cell.
   */
  freedAt(need: bigint, weigh: (tally: TallyChange) => bigint): TimestampMs | null {
    let freed = 0n;
    const counted = [...this.#cells.values()].filter((cell) => this.#counts(cell.span));
    for (const cell of counted.toSorted((left, right) => left.span.start - right.span.start)) {
      freed += weigh(cell.tally);
      if (freed >= need) return (cell.span.end + this.#cursor.reachMs) as TimestampMs;
    }
    return null;
  }

  #cell(span: WindowSpan): Cell {
    let cell = this.#cells.get(span.start);
    if (cell === undefined) {
      cell = { counter: this, span, tally: { ...NO_CHANGE }, open: 0 };
      this.#cells.set(span.start, cell);
    }
    return cell;
  }

  #advance(span: WindowSpan): WindowSpan {
    const newest = this.#newest;
    if (newest !== null && span.start <= newest.start) return newest;
    for (const cell of this.#cells.values()) {
      const left = cell.span.start < span.start - this.#cursor.reachMs;
      if (left && this.#counts(cell.span)) addTo(this.#rolling, negated(cell.tally));
    }
    this.#newest = span;
    return span;
  }

  /** In the rolling sum. */
  #counts(span: WindowSpan): boolean {
    const newest = this.#newest;
    return newest !== null && span.start <= newest.start && span.start >= newest.start - this.#cursor.reachMs;
  }

  #isLive(span: WindowSpan, now: TimestampMs): boolean {
    return span.end + this.#cursor.reachMs > now;
  }
}
