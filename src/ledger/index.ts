/**
 * Is: the ledger of record: the entry's shape, corrections of entries and adjustments beside them, and the journal that makes them durable.
 * Owns: entry schema, journal files, intents, recovery, the data directory and its lock. Not: computing a charge, or answering a report.
 * Holds: an entry is durable before `settle` resolves; entries never change; sequence numbers have no gap.
 * Fails: `journal_unavailable` when the disk refuses; after that nothing is accepted until it is opened again.
 */
export {
  ADJUSTED_AMOUNTS,
  adjustmentEntry,
  movedBy,
  statementOf,
  type AdjustedAmount,
  type AdjustedDimensions,
  type AdjustmentSubject,
} from './adjustment.ts';
export { openLines, type ChargeLine } from './charge-line.ts';
export { correctionEntry, standsAlready, type Correction } from './correction.ts';
export { parseEntry, type EntryRecord } from './entry-record.ts';
export { standingOf, type Standing } from './standing.ts';
export {
  closeEntry,
  closeInDoubt,
  ENTRY_SCHEMA,
  openEntry,
  type AttemptEnd,
  type AttemptStart,
  type AttemptStatus,
} from './entry.ts';
export {
  openJournal,
  type Durable,
  type Journal,
  type JournalDeps,
  type JournalState,
  type RotatableJournal,
} from './journal/journal.ts';
export { readIntentFacts } from './journal/entry-facts.ts';
export type { GovernedBudget, Reservation, Rules, Wish } from './journal/counters.ts';
export type { Recovered } from './journal/recovery.ts';
export { openDataDir, type DataDir } from './data-dir.ts';
export { acquireLock, readLockHolder, type Lock, type LockHolder, type LockOptions } from './lock.ts';
