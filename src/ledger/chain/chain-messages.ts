import type { DailyRoot } from './chain-files.ts';
import type { ChainPlace } from './chain-builder.ts';

export type ChainWorkerStart = ChainPlace;

/** What the chain's thread is told. */
export type ToChainWorker =
  /** Entries up to this sequence number are durable. */
  { readonly is: 'durable'; readonly seq: number } | { readonly is: 'close' };

/** What it tells. */
export type FromChainWorker =
  | { readonly is: 'chained'; readonly seq: number; readonly head: string }
  | { readonly is: 'root'; readonly root: DailyRoot }
  /** It is tried again. */
  | { readonly is: 'failed'; readonly message: string };
