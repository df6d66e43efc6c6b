import type { StoreReader } from '#analytics';
import type { Prices } from '#pricing';
import type { Clock } from '#std';
import type { EntryId } from '#terms';
import type { AuditLog } from './audited.ts';
import type { RepriceDeps } from './reprice-entry.ts';
import type { InTurn } from './turns.ts';

/** What a job needs that reads the ledger and appends to it. */
export type JobDeps = Omit<RepriceDeps, 'prices'> & {
  readonly store: StoreReader;
  /** The prices in force now, taken once per job. */
  readonly prices: () => Prices;
  /** Resolves when the entries are on disk. */
  readonly append: (entries: readonly NewEntry[]) => Promise<unknown>;
  /** Resolves when everything durable is in the store; rejects when that takes too long. */
  readonly untilStored: () => Promise<void>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly newId: (of: 'reprice' | 'resolve') => string;
  /** Shared by all jobs of a process. */
  readonly inTurn: InTurn;
};

export type NewEntry = { readonly id: EntryId; readonly body: string };

/** Entries that go to the journal together. */
export const TOGETHER = 500;
