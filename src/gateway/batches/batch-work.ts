import type { BatchBook, BatchFolder } from '#batches';
import type { Prices } from '#pricing';
import type { Clock } from '#std';
import { ZERO_USD, type PicoUsd } from '#terms';
import type { Accepted } from '../accept.ts';
import type { Flow } from '../forward.ts';
import type { Caller } from '../identify.ts';
import type { Relayed } from '../relay.ts';
import type { RoutedCall } from '../routes.ts';
import type { Itinerary } from '../route/itinerary.ts';
import type { Tagged, Tagging, TagRequest } from '../tagging.ts';
import type { BatchCollector } from './collector.ts';

export type BatchCallDeps = {
  readonly tagging: Tagging;
  readonly prices: () => Prices;
  readonly clock: Clock;
  readonly batches: {
    readonly book: BatchBook;
    readonly folder: BatchFolder;
    readonly collector: Pick<BatchCollector, 'look' | 'lookFor' | 'collect'>;
    /** The last entry on disk. */
    readonly durableSeq: () => number;
  };
};

/** What is to be done beside passing a call on, where it is about a batch. */
export type BatchWork = {
  /** The call as it goes on, where lines in its body were changed; null for as it came. */
  readonly call: Accepted | null;
  /** The most it can cost; null when nothing bounds it. */
  readonly reserved: PicoUsd | null;
  /** Whether the answer is results, which are not kept in memory. */
  readonly passes: boolean;
  follow(flow: Flow): void;
  passed(chunk: Buffer): void;
  /** The answer is in, all but released: what it says is recorded first. */
  answered(relayed: Relayed): Promise<void>;
  /** The answer as the caller sees it. */
  shown(answer: Buffer): Buffer;
};

export type BatchCall = {
  readonly call: Accepted;
  readonly caller: Caller;
  readonly routed: RoutedCall;
  readonly tagged: Tagged;
  readonly itinerary: Itinerary;
  readonly headers: TagRequest['headers'];
};

export const NO_BATCH_WORK: BatchWork = {
  call: null,
  reserved: ZERO_USD,
  passes: false,
  follow: () => undefined,
  passed: () => undefined,
  answered: async () => undefined,
  shown: (answer) => answer,
};
