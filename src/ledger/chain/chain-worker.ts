import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { invariant, systemClock } from '#std';
import { ChainBuilder } from './chain-builder.ts';
import type { DailyRoot } from './chain-files.ts';
import type { ChainWorkerStart, FromChainWorker, ToChainWorker } from './chain-messages.ts';

/** Few enough that a stop is not kept waiting. */
const BATCH_ENTRIES = 256;
const PAUSE_MS = 60_000;
const RETRY_MS = 10_000;

/** Chains what becomes durable, and rests as long as it worked: it takes at most half of one processor from shipping and reports. */
class ChainWorker {
  readonly #port: MessagePort;
  readonly #start: ChainWorkerStart;
  #builder: ChainBuilder | null = null;
  #durable = 0;
  #timer: NodeJS.Timeout | undefined;
  #working = false;
  /** The last entry that it said is in the chain. */
  #told = 0;

  constructor(port: MessagePort, start: ChainWorkerStart) {
    this.#port = port;
    this.#start = start;
    setInterval(() => this.#guard(() => this.#pause()), PAUSE_MS).unref();
  }

  receive(message: ToChainWorker): void {
    if (message.is === 'close') return this.#close();
    this.#durable = Math.max(this.#durable, message.seq);
    if (!this.#working) this.#next(0);
  }

  #next(delayMs: number): void {
    this.#working = true;
    this.#timer = setTimeout(() => this.#guard(() => this.#step()), delayMs);
  }

  #step(): void {
    this.#builder ??= new ChainBuilder(this.#start, systemClock);
    const { seq: before } = this.#builder.point;
    const startedMs = systemClock.elapsedMs();
    this.#tellRoots(this.#builder.advance(this.#durable, BATCH_ENTRIES));
    const { seq, head } = this.#builder.point;
    if (seq !== this.#told) this.#tell({ is: 'chained', seq, head: head.toString('hex') });
    this.#told = seq;
    this.#working = seq !== before && seq < this.#durable;
    if (this.#working) this.#next(systemClock.elapsedMs() - startedMs);
  }

  #pause(): void {
    if (this.#builder !== null) this.#tellRoots(this.#builder.pause(this.#durable));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      // Begun anew from what is on disk: after a failure nothing in memory is believed.
      this.#builder?.close();
      this.#builder = null;
      this.#tell({ is: 'failed', message: error instanceof Error ? error.message : String(error) });
      clearTimeout(this.#timer);
      this.#next(RETRY_MS);
    }
  }

  #close(): void {
    clearTimeout(this.#timer);
    try {
      this.#pause();
      this.#builder?.close();
    } finally {
      this.#port.close();
    }
  }

  #tellRoots(roots: readonly DailyRoot[]): void {
    for (const root of roots) this.#tell({ is: 'root', root });
  }

  #tell(message: FromChainWorker): void {
    this.#port.postMessage(message);
  }
}

invariant(parentPort !== null, 'chain-worker runs as a worker thread');
const worker = new ChainWorker(parentPort, workerData);
parentPort.on('message', (message: ToChainWorker) => worker.receive(message));
