import type { EventEmitter } from 'node:events';

/**
 * How many answers have not ended, so that a stop can wait for them. A number, and no set of them: a table that a set has outgrown leads on to
 * the next one and still has what was in it. Once one of them is in the old generation, every later one is kept with it, and the requests in
 * them, until the next collection of the whole heap: 1.5 MB a second at 500 calls a second.
 */
export class RunningCalls {
  #running = 0;
  #whenIdle: (() => void) | null = null;

  /** @param answer says `close` when it has ended, whichever way */
  add(answer: EventEmitter): void {
    this.#running += 1;
    answer.once('close', () => {
      this.#running -= 1;
      if (this.#running === 0) this.#whenIdle?.();
    });
  }

  /** Resolves when none is left, or at the deadline. Answers how many are. */
  async drain(deadlineMs: number): Promise<number> {
    if (this.#running === 0) return 0;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      timer = setTimeout(resolve, deadlineMs);
    });
    clearTimeout(timer);
    return this.#running;
  }
}
