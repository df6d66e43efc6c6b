import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { readRoots, type DailyRoot } from './chain-files.ts';
import type { ChainWorkerStart, FromChainWorker, ToChainWorker } from './chain-messages.ts';

type Log = {
  info(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
};

export type ChainDeps = {
  /** The data directory. */
  readonly dir: string;
  readonly nodeId: string;
  readonly epoch: number;
  readonly log: Log;
};

export type ChainState = {
  /** The last entry in the chain; 0 before the first one of this process. */
  readonly seq: number;
  /** Hex; empty before the first one. */
  readonly head: string;
  readonly failing: string | null;
};

/** The chain over the entries of a node, computed in a thread of its own, behind everything else. */
export type Chain = {
  /** Tells that the journal is durable up to here. */
  wake(durableSeq: number): void;
  state(): ChainState;
  /** The roots of all days so far. */
  roots(): readonly DailyRoot[];
  close(): Promise<void>;
};

/** The thread's memory, bounded whatever the journal has. */
const WORKER_HEAP_MB = 64;

/** A server that starts has more urgent things to do. */
const START_DELAY_MS = 2_000;

export function followWithChain({ dir, nodeId, epoch, log }: ChainDeps): Chain {
  const chainDir = join(dir, 'chain');
  let state: ChainState = { seq: 0, head: '', failing: null };
  const fail = (failing: string): void => {
    if (failing !== state.failing) log.error({ failing }, 'the chain over the entries is not being written');
    state = { ...state, failing };
  };
  const take = (message: FromChainWorker): void => {
    if (message.is === 'failed') fail(message.message);
    else if (message.is === 'chained') state = { seq: message.seq, head: message.head, failing: null };
    // Whoever keeps the log elsewhere keeps the roots elsewhere.
    else log.info({ ...message.root }, 'the root of a day over all entries so far');
  };
  let thread: ChainThread | null = null;
  let durable = 0;
  const starting = setTimeout(() => {
    thread = startThread({ journalDir: join(dir, 'journal'), chainDir, nodeId, epoch }, { take, fail });
    if (durable > 0) thread.tell({ is: 'durable', seq: durable });
  }, START_DELAY_MS).unref();
  return {
    wake(seq) {
      durable = Math.max(durable, seq);
      thread?.tell({ is: 'durable', seq });
    },
    state: () => state,
    roots: () => readRoots(chainDir),
    async close() {
      clearTimeout(starting);
      thread?.tell({ is: 'close' });
      await thread?.exited;
    },
  };
}

type ChainThread = { tell(message: ToChainWorker): void; readonly exited: Promise<void> };

type ThreadHandlers = { readonly take: (message: FromChainWorker) => void; readonly fail: (why: string) => void };

function startThread(workerData: ChainWorkerStart, { take, fail }: ThreadHandlers): ChainThread {
  const worker = new Worker(new URL('./chain-worker.ts', import.meta.url), {
    workerData,
    name: 'chain',
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
  });
  worker.on('message', take);
  worker.on('error', (error: Error) => fail(error.message));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => resolve());
  });
  return {
    tell: (message) => worker.postMessage(message),
    exited,
  };
}
