import type { Clock, TimestampMs } from '#std';

/** Something that may be used until a time; `expiresAt` null for ever. */
export type Perishable<T> = { readonly value: T; readonly expiresAt: TimestampMs | null };

export type FreshDeps = {
  readonly clock: Clock;
  /** How long a caller waits for a new one. */
  readonly timeoutMs: number;
};

/** From here on a new one is fetched while the old one is still used. */
const EARLY_MS = 5 * 60_000;
/** Closer to its end than this it may not live as long as the request takes to arrive. */
const LEAST_LEFT_MS = 30_000;
/** A sign-in that is down is not asked more often than this while what is held still works. */
const PAUSE_MS = 10_000;

export class SignInTimeout extends Error {
  override readonly name = 'SignInTimeout';
}

/** Keeps one perishable value fresh: fetched once for all who wait, and renewed before it ends. */
export class Fresh<T> {
  readonly #fetch: () => Promise<Perishable<T>>;
  readonly #deps: FreshDeps;
  #held: Perishable<T> | null = null;
  #coming: Promise<T> | null = null;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(fetch: () => Promise<Perishable<T>>, deps: FreshDeps) {
    this.#fetch = fetch;
    this.#deps = deps;
  }

  /** Rejects when a new one is needed and cannot be had in time. */
  async get(): Promise<T> {
    const held = this.#held;
    const leftMs = held === null ? 0 : leftOf(held, this.#deps.clock.now());
    if (held === null || leftMs < LEAST_LEFT_MS) return this.#renew();
    const due = leftMs < EARLY_MS && this.#deps.clock.elapsedMs() - this.#triedMs > PAUSE_MS;
    // What is held still works, and the next call asks again: a failure of this is nobody's yet.
    if (due) this.#renew().catch(() => undefined);
    return held.value;
  }

  #renew(): Promise<T> {
    this.#triedMs = this.#deps.clock.elapsedMs();
    this.#coming ??= this.#fetchInTime().finally(() => {
      this.#coming = null;
    });
    return this.#coming;
  }

  async #fetchInTime(): Promise<T> {
    const { timeoutMs } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SignInTimeout(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      this.#held = await Promise.race([this.#fetch(), late]);
      return this.#held.value;
    } finally {
      clearTimeout(timer);
    }
  }
}

function leftOf({ expiresAt }: Perishable<unknown>, now: TimestampMs): number {
  return expiresAt === null ? Number.POSITIVE_INFINITY : expiresAt - now;
}
