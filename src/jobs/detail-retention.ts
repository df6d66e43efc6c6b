import { detailKeptFrom, type Store } from '#ledger/store';
import type { Clock } from '#std';
import type { InTurn } from './turns.ts';

export type DetailRetentionDeps = {
  readonly days: number;
  readonly store: Pick<Store, 'retireDetail'>;
  /** Shared by all jobs of a process: one that looks at an entry must find it as a whole or not at all. */
  readonly inTurn: InTurn;
  /** Resolves when everything durable is in the store: an entry whose correction is under way is not done with. */
  readonly untilStored: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs?: number;
};

type Log = {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
};

export type DetailRetention = {
  /** Resolves when all that is to be done now is done. */
  tend(): Promise<void>;
  /** Ends at once; what the engine had begun it goes on with at the next start. */
  close(): Promise<void>;
};

const EVERY_MS = 10 * 60 * 1000;

/** Sees to it that the store loses the detail of entries when their retention is over: each day that of one more day. */
export function retainDetail(deps: DetailRetentionDeps): DetailRetention {
  return new TimedRetention(deps);
}

class TimedRetention implements DetailRetention {
  readonly #deps: DetailRetentionDeps;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;
  #working: Promise<void> = Promise.resolve();

  constructor(deps: DetailRetentionDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.tend(), deps.everyMs ?? EVERY_MS).unref();
    void this.tend();
  }

  tend(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Not for what is before it in turn: that may take long, and nothing is touched after this. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#working;
  }

  async #round(): Promise<void> {
    const { inTurn, log } = this.#deps;
    const { signal } = this.#closing;
    try {
      await inTurn(async () => {
        this.#working = this.#retire();
        await this.#working;
      });
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'detail of old entries stays a while: it is tried again');
    }
  }

  async #retire(): Promise<void> {
    const { days, store, untilStored, clock, log } = this.#deps;
    const { signal } = this.#closing;
    await Promise.race([untilStored(), aborted(signal)]);
    if (signal.aborted) return;
    const before = detailKeptFrom(days, clock.now());
    const { entries } = await store.retireDetail(before, signal);
    if (entries === 0 || signal.aborted) return;
    const facts = { entries, days, before: new Date(before).toISOString() };
    log.info(facts, 'detail of old entries is gone: its retention is over');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
