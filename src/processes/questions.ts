const ANSWER_TIMEOUT_MS = 5_000;

/** Questions of one kind that the ledger process asks the gateway process: each is answered, or nobody knows in time. */
export class Questions<T> {
  readonly #tell: (id: number) => void;
  readonly #timeoutMs: number;
  readonly #waiters = new Map<number, (answer: T | null) => void>();
  #lastId = 0;

  constructor(tell: (id: number) => void, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#tell = tell;
    this.#timeoutMs = timeoutMs;
  }

  /** What the gateway process answered. */
  answered(id: number, answer: T | null): void {
    this.#waiters.get(id)?.(answer);
  }

  async ask(): Promise<T | null> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = Promise.withResolvers<T | null>();
    this.#waiters.set(id, answered.resolve);
    const timer = setTimeout(() => answered.resolve(null), this.#timeoutMs);
    this.#tell(id);
    const answer = await answered.promise;
    clearTimeout(timer);
    this.#waiters.delete(id);
    return answer;
  }
}
