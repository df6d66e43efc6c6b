/**
 * Is: erasing what names somebody from everything that is recorded: a tag's value, a session, the owner of keys.
 * Owns: which values of an entry go, rewriting sealed segments, rows and quarantine, the journal of erasures. Not: when, by whom, the control plane.
 * Holds: money, tokens, models, numbers and digests stay; each step can be cut short and done again; a record never has the value.
 * Fails: `journal_unavailable` or `ledger_unavailable`; what was erased by then is, and the rest can be done again.
 */
export { ERASED } from '../chain/entry-digest.ts';
export { eraseJournalsInThread, type JournalErased, type JournalErasure } from './erase-journal.ts';
export { eraseQuarantine } from './erase-quarantine.ts';
export { eraseRows, removeStoresAside } from './erase-store.ts';
export { ErasureLog, type ErasureRecord, type ErasureState, type PendingErasure } from './erasure-log.ts';
export { holder, remover, type ErasureSubject } from './subject.ts';
