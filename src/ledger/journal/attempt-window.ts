import { invariant } from '#std';

const REMEMBERED = 8192;

/**
 * Which attempts are running and which ended a moment ago. An attempt has one intent and one entry; a second one would be
 * money counted twice, so it is a bug to stop at the call that has it.
 */
export class AttemptWindow {
  readonly #running = new Set<string>();
  #ended = new Set<string>();
  #endedBefore = new Set<string>();

  begin(attempt: string): void {
    invariant(!this.#running.has(attempt) && !this.#hasEnded(attempt), `attempt ${attempt} begins once`);
    this.#running.add(attempt);
  }

  /** It was refused: nothing was written, and it may begin again. */
  withdraw(attempt: string): void {
    this.#running.delete(attempt);
  }

  end(attempt: string): void {
    invariant(!this.#hasEnded(attempt), `attempt ${attempt} ends once`);
    this.#running.delete(attempt);
    this.#ended.add(attempt);
    if (this.#ended.size < REMEMBERED) return;
    this.#endedBefore = this.#ended;
    this.#ended = new Set();
  }

  #hasEnded(attempt: string): boolean {
    return this.#ended.has(attempt) || this.#endedBefore.has(attempt);
  }
}
