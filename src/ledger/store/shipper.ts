import type { TimestampMs } from '#std';
import { ApportionError, LIMITS } from '#terms';
import { Dispatch, type DispatchDeps } from './dispatch.ts';

/** Up to where, and as of when, the store answers for a node. `at` is null before anything was shipped. */
export type AsOf = {
  readonly nodeId: string;
  readonly seq: number;
  readonly at: TimestampMs | null;
  /** True where no other node has entries in the store: then nobody has to ask each entry whose it is. */
  readonly alone?: boolean;
};

export type ShipperState = {
  readonly through: number;
  readonly durable: number;
  /** Durable entries that reports do not show yet. */
  readonly waiting: number;
  /** Entries the store refused; anything but 0 is an alarm. */
  readonly quarantined: number;
  /** Why the last attempt failed; null while all is well. */
  readonly failing: string | null;
};

export type Shipper = {
  /** Resolves when what was shipped earlier is compared with the store: before, `asOf` says nothing. */
  readonly resumed: Promise<void>;
  /** Tells that the journal is durable up to here. Cheap; may be called for every entry. */
  wake(durableSeq: number): void;
  asOf(): AsOf;
  state(): ShipperState;
  /** Resolves when everything durable at the time of the call is in the store or in quarantine. Rejects when closed before. */
  idle(): Promise<void>;
  /** Ends after the step that is running. What is not shipped stays in the journal for the next start. */
  close(): Promise<void>;
};

/** Entries that come close together go out together: at most five inserts a second, unless a full batch waits. */
const GATHER_MS = 200;
/** While so many come that an insert of twice as many is a good deal cheaper for each. Seen within a second all the same. */
const BUSY_GATHER_MS = 400;
const BUSY_ENTRIES = 1_000;
const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 10_000;

export function createShipper(deps: DispatchDeps): Shipper {
  return new JournalShipper(deps);
}

type IdleWaiter = { readonly seq: number; readonly resolve: () => void; readonly reject: (reason: Error) => void };

class JournalShipper implements Shipper {
  readonly #deps: DispatchDeps;
  readonly #dispatch: Dispatch;
  readonly #loop: Promise<void>;
  readonly #comparison = Promise.withResolvers<void>();
  #resumed = false;
  #closed = false;
  #toldBehind = false;
  #durable = 0;
  #gatherMs = GATHER_MS;
  #lastStepAt = Number.NEGATIVE_INFINITY;
  #retryAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failing: string | null = null;
  #idleWaiters: IdleWaiter[] = [];
  #poke: () => void = () => {};

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
    this.#dispatch = new Dispatch(deps);
    this.#loop = this.#run();
  }

  get resumed(): Promise<void> {
    return this.#comparison.promise;
  }

  wake(durableSeq: number): void {
    if (durableSeq <= this.#durable) return;
    this.#durable = durableSeq;
    this.#checkJournal();
    this.#poke();
  }

  asOf(): AsOf {
    const { nodeId, clock } = this.#deps;
    // What was written down is not what the store has until the two are compared: it may be about to be rebuilt.
    if (!this.#resumed) return { nodeId, seq: 0, at: null };
    const { through, shippedAt } = this.#dispatch.shipping;
    const complete = this.#durable > 0 && through >= this.#durable;
    return { nodeId, seq: through, at: complete ? clock.now() : shippedAt };
  }

  state(): ShipperState {
    const { through, quarantined } = this.#dispatch.shipping;
    const waiting = Math.max(0, this.#durable - through);
    return { through, durable: this.#durable, waiting, quarantined, failing: this.#failing };
  }

  idle(): Promise<void> {
    if (this.#closed) return Promise.reject(closing());
    return new Promise((resolve, reject) => {
      this.#idleWaiters.push({ seq: this.#durable, resolve, reject });
      this.#poke();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#poke();
    await this.#loop;
    for (const { reject } of this.#idleWaiters) reject(closing());
    this.#idleWaiters = [];
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#releaseIdle();
      const pauseMs = this.#pauseMs();
      if (pauseMs > 0) await this.#change(pauseMs);
      else await this.#attempt();
    }
    // Losing this write costs one range sent twice, which the store recognises.
    if (this.#resumed) await this.#dispatch.settle().catch((error: unknown) => this.#failed(error));
  }

  async #attempt(): Promise<void> {
    this.#lastStepAt = this.#deps.clock.elapsedMs();
    this.#gatherMs = this.#durable - this.#dispatch.shipping.through < BUSY_ENTRIES ? GATHER_MS : BUSY_GATHER_MS;
    try {
      if (!this.#resumed) {
        await this.#dispatch.resume();
        this.#resumed = true;
        this.#comparison.resolve();
        this.#checkJournal();
        this.#tellEmpty();
        this.#lastStepAt = Number.NEGATIVE_INFINITY;
      } else if (!(await this.#dispatch.step(this.#durable))) {
        throw new ApportionError('journal_unavailable', 'The journal does not show entries that it said are durable.');
      }
      this.#failures = 0;
      this.#failing = null;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A journal that was put back to an older state would use numbers again that the store has seen under other entries. */
  #checkJournal(): void {
    const { through } = this.#dispatch.shipping;
    if (!this.#resumed || this.#durable === 0 || this.#durable >= through || this.#toldBehind) return;
    this.#toldBehind = true;
    this.#deps.log.error(
      { durable: this.#durable, through },
      'the journal is behind the store; new entries will be missing from reports until the store is removed and rebuilt',
    );
  }

  /** Of a node that is not new: its store was removed with all that says what was shipped. */
  #tellEmpty(): void {
    const { through, generation, sending } = this.#dispatch.shipping;
    if (through > 0 || generation > 0 || sending !== null || this.#durable === 0) return;
    this.#deps.log.warn(
      { durable: this.#durable },
      'the store has nothing of this node; it is filled from the journal',
    );
  }

  #failed(error: unknown): void {
    const retryMs = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#retryAt = this.#deps.clock.elapsedMs() + retryMs;
    this.#failing = error instanceof Error ? error.message : String(error);
    const { through } = this.#dispatch.shipping;
    this.#deps.log.error(
      { err: error, through, durable: this.#durable, retryMs },
      'shipping failed and is tried again',
    );
  }

  /** Milliseconds until there is something to do; Infinity when nothing is known of. */
  #pauseMs(): number {
    const now = this.#deps.clock.elapsedMs();
    if (this.#retryAt > now) return this.#retryAt - now;
    if (!this.#resumed) return 0;
    const { through, sending } = this.#dispatch.shipping;
    if (sending === null && through >= this.#durable) return Number.POSITIVE_INFINITY;
    const urgent =
      sending !== null || this.#idleWaiters.length > 0 || this.#durable - through >= LIMITS.shipmentEntries;
    return urgent ? 0 : this.#lastStepAt + this.#gatherMs - now;
  }

  #releaseIdle(): void {
    const { through, sending } = this.#dispatch.shipping;
    if (!this.#resumed || sending !== null) return;
    const ready = this.#idleWaiters.filter(({ seq }) => seq <= through);
    this.#idleWaiters = this.#idleWaiters.filter(({ seq }) => seq > through);
    for (const { resolve } of ready) resolve();
  }

  /** Resolves when something was said (`wake`, `idle`, `close`) or the time is over. */
  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(withinMs) ? setTimeout(resolve, Math.ceil(withinMs)) : null;
      this.#poke = () => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }
}

function closing(): ApportionError {
  return new ApportionError('shutting_down', 'Shipping to the store has ended.');
}
