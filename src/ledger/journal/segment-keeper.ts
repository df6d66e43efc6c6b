import { Worker } from 'node:worker_threads';
import type { Log } from '#observe';
import type { Clock } from '#std';
import type { Compressed } from './compression.ts';
import type { CompressionJob } from './compression-worker.ts';
import { listUncompressed } from './compression.ts';
import { retireOldest, type Retention } from './retention.ts';

export type SegmentKeeperDeps = {
  readonly dir: string;
  readonly compress: boolean;
  /** Null: segments are kept for ever. */
  readonly retention: Retention | null;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly everyMs?: number;
};

/** Looks after sealed segments. Of a journal there may be one, in a process of low priority: never the one that serves calls. */
export type SegmentKeeper = {
  /** Resolves when all that is to be done now is done. */
  tend(): Promise<void>;
  /** Runs `work` while nothing is compressed or removed: an erasure rewrites segments too. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Ends at once; what was being done is done again at the next start. */
  close(): Promise<void>;
};

const EVERY_MS = 10_000;

export function createSegmentKeeper(deps: SegmentKeeperDeps): SegmentKeeper {
  return new TimedKeeper(deps);
}

class TimedKeeper implements SegmentKeeper {
  readonly #deps: SegmentKeeperDeps;
  /** Segments that could not be compressed: not tried again before the next start. */
  readonly #left = new Set<number>();
  /** What was told already: once is loud enough. */
  readonly #told = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> = Promise.resolve();
  #worker: Worker | null = null;
  #busy = false;
  #closed = false;

  constructor(deps: SegmentKeeperDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => {
      if (!this.#busy) void this.tend();
    }, deps.everyMs ?? EVERY_MS).unref();
  }

  tend(): Promise<void> {
    this.#running = this.#running.then(() => this.#round());
    return this.#running;
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#running.then(work);
    // Whoever asked hears of a failure; the rounds go on.
    this.#running = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#worker?.terminate();
    await this.#running;
  }

  async #round(): Promise<void> {
    this.#busy = true;
    try {
      if (this.#deps.compress) await this.#compressAll();
      await this.#retire();
    } catch (error) {
      if (!this.#closed) this.#tellOnce('the journal', error);
    } finally {
      this.#busy = false;
    }
  }

  async #compressAll(): Promise<void> {
    for (const segment of listUncompressed(this.#deps.dir)) {
      if (this.#closed) return;
      if (this.#left.has(segment)) continue;
      await this.#compress(segment).catch((error: unknown) => {
        if (this.#closed) return;
        this.#left.add(segment);
        this.#tellOnce(`segment ${segment}`, error);
      });
    }
  }

  async #compress(segment: number): Promise<void> {
    const { dir, log, clock } = this.#deps;
    const startedMs = clock.elapsedMs();
    const workerData: CompressionJob = { dir, segment };
    const worker = new Worker(new URL('./compression-worker.ts', import.meta.url), { workerData, name: 'compression' });
    this.#worker = worker;
    try {
      const done = await resultOf(worker);
      log.info({ segment, ...done, ms: Math.round(clock.elapsedMs() - startedMs) }, 'a journal file is compressed');
    } finally {
      this.#worker = null;
    }
  }

  async #retire(): Promise<void> {
    const { dir, retention, clock, log } = this.#deps;
    if (retention === null || this.#closed) return;
    const retired = await retireOldest(dir, retention, clock.now());
    if (retired.is === 'none') return;
    const { segment, header, lastSeq } = retired.sealed;
    const facts = { segment, first_seq: header.first_seq, last_seq: lastSeq };
    if (retired.is === 'retired') return log.warn(facts, 'a journal file is removed: its retention is over');
    const problem = new Error('the store does not have all of its entries');
    this.#tellOnce(`retention of segment ${segment}`, problem, 'a journal file whose retention is over is kept');
  }

  #tellOnce(what: string, error: unknown, message = 'a journal file is left as it is'): void {
    const key = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#deps.log.error({ err: error, what }, message);
  }
}

function resultOf(worker: Worker): Promise<Compressed> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('its thread was ended')));
  });
}
