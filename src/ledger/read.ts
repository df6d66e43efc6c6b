/**
 * Is: the reading side of the ledger of record, for processes that do not write it.
 * Owns: reading entries in order from journal files, live or sealed. Not: writing, recovery, or the store.
 * Holds: entries come in sequence without a gap, and none beyond what the caller says is durable.
 * Fails: `journal_unavailable` when a file is damaged; an entry that is not there yet is simply not handed out.
 */
export {
  openEntryReader,
  openPassingReader,
  readEntries,
  type EntryRange,
  type EntryReader,
  type JournalEntry,
} from './journal/entry-reader.ts';
