/**
 * Is: the store, a projection of the journal that answers reports: chDB in this process, or ClickHouse by URL.
 * Owns: the entries table, tag columns, shipping, quarantine. Not: the ledger of record, or what a report means.
 * Holds: every durable entry is in the table exactly once or counted in quarantine; the store can be rebuilt at any time.
 * Fails: reads reject with `ledger_unavailable`; shipping never gives up, it retries, splits, and raises an alarm.
 */
export { ENTRIES, ENTRY_COLUMNS, type EntryColumn } from './schema.ts';
export { isTagKey, tagColumn, tagKeyOfPath, tagPath, type TagKeyedColumn } from './tag-column.ts';
