import type { Findings, Place } from './finding.ts';

/** Intents without an end yet, by attempt. As many as calls run at once. */
export class RunningAttempts {
  readonly #findings: Findings;
  #open = new Map<string, string>();
  /** What a segment should carry over from the one before it; null when that one could not be read to its end. */
  #expected: ReadonlySet<string> | null = null;
  #carried = 0;
  /** Behind damage nothing can be said of attempts that are not known: their beginning may be what was damaged. */
  #complete = true;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** The texts of the intents that have no end. */
  get open(): ReadonlyMap<string, string> {
    return this.#open;
  }

  /** A new segment repeats the intents that ran when it was made. @param carried how many */
  segment(carried: number, isFirst: boolean): void {
    this.#expected = this.#complete && !isFirst ? new Set(this.#open.keys()) : null;
    this.#open = new Map();
    this.#carried = carried;
    this.#complete = true;
  }

  damaged(): void {
    this.#complete = false;
  }

  began(attempt: string, text: string, place: Place): void {
    if (this.#open.has(attempt)) this.#findings.fault('journal.attempts', `attempt ${attempt} begins twice`, place);
    this.#open.set(attempt, text);
    if (this.#carried === 0) return;
    this.#carried -= 1;
    if (this.#carried === 0) this.#compareCarried(place);
  }

  /** An entry needs no intent: what was not a call of ours has none. */
  settled(attempt: string, place: Place): void {
    this.#expectNoCarried(place);
    this.#open.delete(attempt);
  }

  cancelled(attempt: string, place: Place): void {
    this.#expectNoCarried(place);
    if (!this.#open.delete(attempt) && this.#complete)
      this.#findings.fault('journal.attempts', `attempt ${attempt} is taken back and never began`, place);
  }

  #expectNoCarried(place: Place): void {
    if (this.#carried === 0) return;
    this.#findings.fault('journal.attempts', `${this.#carried} attempts carried over are missing`, place);
    this.#carried = 0;
  }

  #compareCarried(place: Place): void {
    const lost = Array.from(this.#expected ?? []).filter((attempt) => !this.#open.has(attempt));
    for (const attempt of lost)
      this.#findings.fault('journal.attempts', `attempt ${attempt} ran and was not carried over`, place);
  }
}
