import type { Log } from './log.ts';
import type { OwnColumns } from './own-columns.ts';
import type { Summing } from './sums/summing.ts';

export type UpkeepDeps = { readonly columns: OwnColumns; readonly summing: Summing; readonly log: Log };

/** The keys in use are looked at when the store is opened, and every so many entries. */
const LOOK_ENTRIES = 1_000_000;
const FIRST_LOOK_ENTRIES = 100_000;

/** What keeps reports quick, done behind everybody's back: one thing at a time, and none while the table is changed otherwise. */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  #stop = new AbortController();
  #running: Promise<void> | null = null;
  #pauses = 0;
  /** While something was done, more has come. */
  #isWoken = false;
  #reached = 0;
  #nextLook = FIRST_LOOK_ENTRIES;

  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
  }

  /** Everything of the node up to `seq` is in the store. */
  reached(nodeId: string, seq: number): void {
    this.#deps.summing.stored(nodeId, seq);
    this.#reached = Math.max(this.#reached, seq);
    this.wake();
  }

  /** There is something to do. */
  wake(): void {
    this.#isWoken = true;
    if (this.#running !== null || this.#stop.signal.aborted || this.#pauses > 0) return;
    this.#isWoken = false;
    this.#running = this.#work()
      .catch((error: unknown) => {
        this.#deps.log.warn({ err: error }, 'the store could not be kept in order; reports are right, and slower');
      })
      .finally(() => {
        this.#running = null;
        if (this.#isWoken) this.wake();
      });
  }

  async tune(): Promise<void> {
    const added = await this.#deps.columns.add();
    if (added.length > 0) this.#deps.log.info({ columns: added.length }, 'frequent tags get columns of their own');
  }

  /** Resolves when nothing is going on. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** Runs something that nothing here may get in the way of. */
  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    this.#pauses += 1;
    this.#stop.abort();
    try {
      await this.#running;
      return await work();
    } finally {
      this.#pauses -= 1;
      if (this.#pauses === 0) {
        this.#stop = new AbortController();
        this.wake();
      }
    }
  }

  async close(): Promise<void> {
    this.#pauses += 1;
    this.#stop.abort();
    await this.#running;
  }

  async #work(): Promise<void> {
    if (this.#reached >= this.#nextLook) {
      this.#nextLook = this.#reached + LOOK_ENTRIES;
      await this.tune();
    }
    await this.#deps.summing.sumUp(this.#stop.signal);
  }
}
