import { invariant, type TimestampMs } from '#std';
import { type Budget } from './budget.ts';
import { Counter, type Cell } from './counter.ts';
import { instanceKey, type Match, type ScopeIndex, type Series } from './scope-index.ts';
import { WindowCursor, windowKey, type WindowSpan } from './window.ts';

/** The instance that new values share once a series has as many as it may. No caller can send it as a tag. */
const OTHER = '(other)';

type Row = { readonly cursor: WindowCursor; readonly counters: Map<string, Counter> };

/** All counters, by series and instance. */
export class CounterTable {
  readonly #mostInstances: number;
  readonly #cursors = new Map<string, WindowCursor>();
  #rows: ReadonlyMap<string, Row> = new Map();

  constructor(mostInstances: number) {
    this.#mostInstances = mostInstances;
  }

  /** Keeps the counters of the series that stay; @returns those that are new. */
  keep(index: ScopeIndex<Budget>): readonly Series<Budget>[] {
    const added: Series<Budget>[] = [];
    const rows = new Map<string, Row>();
    for (const series of index.series.values()) {
      const known = this.#rows.get(series.key);
      if (known === undefined) added.push(series);
      rows.set(series.key, known ?? { cursor: this.#cursorOf(series), counters: new Map() });
    }
    this.#rows = rows;
    return added;
  }

  has(counter: Counter): boolean {
    return this.#rows.has(counter.seriesKey);
  }

  /** The series' window at an instant. */
  spanAt(seriesKey: string, at: TimestampMs): WindowSpan {
    const row = this.#rows.get(seriesKey);
    invariant(row !== undefined, 'a window is asked of a series in the table');
    return row.cursor.at(at);
  }

  find({ series, instance }: Match<Budget>): Counter | undefined {
    const row = this.#rows.get(series.key);
    const known = row?.counters.get(instanceKey(instance));
    if (known !== undefined || row === undefined || row.counters.size < this.#mostInstances) return known;
    return row.counters.get(instanceKey(instance.map(() => OTHER)));
  }

  open(match: Match<Budget>): Counter {
    const known = this.find(match);
    if (known !== undefined) return known;
    const row = this.#rows.get(match.series.key);
    invariant(row !== undefined, 'a match is of a series in the table');
    const isFull = row.counters.size >= this.#mostInstances && match.instance.length > 0;
    return newCounter(row, match.series.key, isFull ? match.instance.map(() => OTHER) : match.instance);
  }

  /** The counter that was saved under these names; undefined when no budget counts it any more. */
  restored(seriesKey: string, instance: readonly string[]): Counter | undefined {
    const row = this.#rows.get(seriesKey);
    if (row === undefined) return undefined;
    return row.counters.get(instanceKey(instance)) ?? newCounter(row, seriesKey, instance);
  }

  *[Symbol.iterator](): Iterator<Counter> {
    for (const { counters } of this.#rows.values()) yield* counters.values();
  }

  expire(now: TimestampMs): readonly Cell[] {
    const over: Cell[] = [];
    for (const { counters } of this.#rows.values()) {
      for (const [key, counter] of counters) {
        over.push(...counter.expire(now));
        if (counter.isEmpty) counters.delete(key);
      }
    }
    return over;
  }

  #cursorOf({ rules: [budget] }: Series<Budget>): WindowCursor {
    invariant(budget !== undefined, 'a series has a budget');
    const key = windowKey(budget.window);
    const cursor = this.#cursors.get(key) ?? new WindowCursor(budget.window);
    this.#cursors.set(key, cursor);
    return cursor;
  }
}

function newCounter(row: Row, seriesKey: string, instance: readonly string[]): Counter {
  const counter = new Counter({ seriesKey, instance }, row.cursor);
  row.counters.set(instanceKey(instance), counter);
  return counter;
}
