import { type Clock } from '#std';

/** One thing that is counted, and how often it may fail within the window. */
export type Counted = { readonly name: string; readonly most: number };

const WINDOW_MS = 15 * 60_000;
/** More names than an honest window has; beyond, the oldest is forgotten. */
const MOST_NAMES = 20_000;

type Count = { failures: number; readonly since: number };

/**
 * Failed attempts, counted in memory for a quarter of an hour. An attempt counts before it is judged, so that guesses sent all at once
 * are counted too, and is given back when it was right.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns false when one of them has failed too often; then nothing is counted */
  begin(counted: readonly Counted[]): boolean {
    const counts = counted.map(({ name, most }) => ({ count: this.#countOf(name), most }));
    if (counts.some(({ count, most }) => count.failures >= most)) return false;
    for (const { count } of counts) count.failures += 1;
    return true;
  }

  right(counted: readonly Counted[]): void {
    for (const { name } of counted) {
      const count = this.#countOf(name);
      count.failures = Math.max(0, count.failures - 1);
    }
  }

  #countOf(name: string): Count {
    const now = this.#clock.elapsedMs();
    const known = this.#counts.get(name);
    if (known !== undefined && now - known.since < WINDOW_MS) return known;
    this.#counts.delete(name);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size >= MOST_NAMES && oldest !== undefined) this.#counts.delete(oldest);
    const fresh = { failures: 0, since: now };
    this.#counts.set(name, fresh);
    return fresh;
  }
}
