/** The share of the newest call in the average. */
const NEWEST = 0.2;

/** After this long without a call nobody knows how fast a deployment is: it is tried again. */
const KEPT_MS = 60_000;

/** Milliseconds to the first byte of an answer, the newest calls counting most. */
export class Latency {
  #average = 0;
  #measuredMs = Number.NEGATIVE_INFINITY;

  add(firstByteMs: number, nowMs: number): void {
    const known = this.at(nowMs);
    this.#average = known === null ? firstByteMs : known + (firstByteMs - known) * NEWEST;
    this.#measuredMs = nowMs;
  }

  /** Null where nothing recent is known. */
  at(nowMs: number): number | null {
    return nowMs - this.#measuredMs > KEPT_MS ? null : this.#average;
  }
}
