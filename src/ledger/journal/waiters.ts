export type Waiter = { readonly resolve: () => void; readonly reject: (error: Error) => void };

/** Callers waiting in the order they came; a cumulative count releases them from the front. */
export class Waiters {
  #waiting: Waiter[] = [];
  #head = 0;
  /** How many were released since the start. */
  #released = 0;

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  add(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** @param total how many are to be released since the start, all told */
  releaseUpTo(total: number): void {
    while (this.#released < total) {
      this.#waiting[this.#head]?.resolve();
      this.#head += 1;
      this.#released += 1;
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  rejectAll(error: Error): void {
    const rejected = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const waiter of rejected) waiter.reject(error);
  }
}
