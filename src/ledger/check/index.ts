/**
 * Is: what must hold of a data directory, as checks that only read: frames, entries, calls, sums, store, control plane, folder.
 * Owns: the rules by id, what to do where one is broken, findings and their places. Not: mending anything, reports, the terminal.
 * Holds: memory does not grow with the ledger; a check goes on behind damage; nothing is written but to a temporary folder.
 * Fails: what is wrong is a finding, never an exception; `ledger_unavailable` when the store cannot be opened at all.
 */
export { CallsElsewhere } from './calls-elsewhere.ts';
export { checkControl, type ControlFigures } from './control-check.ts';
export { checkCounters, type CounterFigures } from './counters-check.ts';
export { Findings, formatPlace, type Finding, type Level, type Place } from './finding.ts';
export { checkFolder, type FolderFigures } from './folder-check.ts';
export { checkJournal, type JournalChecked } from './journal-check.ts';
export { JournalWalk } from './journal-walk.ts';
export { REPORTED, Sums, type Reported } from './ledger-sums.ts';
export { LedgerTotals, sumOfDays, sumOfNodes, type DaySums } from './ledger-totals.ts';
export { readNodeId } from './node-file.ts';
export { checkOpenAttempts } from './open-attempts.ts';
export { RULES, type RuleId } from './rules.ts';
export { checkShipping, checkStored, readShipping, type ShippingState } from './shipping-check.ts';
export { checkRollUps } from './store-rollups.ts';
export { compareRows } from './store-rows.ts';
export { openServerSession, openStoreSession, type StoreSession } from './store-session.ts';
export { compareSums } from './store-sums.ts';
