/**
 * Is: the store, a projection of the journal that answers reports: chDB in this process, or ClickHouse by URL.
 * Owns: the entries table, tag columns, shipping, quarantine. Not: the ledger of record, or what a report means.
 * Holds: every durable entry is in the table exactly once or counted in quarantine; the store can be rebuilt at any time.
 * Fails: reads reject with `ledger_unavailable`; shipping never gives up, it retries, splits, and raises an alarm.
 */
export { ENTRIES, ENTRY_COLUMNS, LABELS_OF_SET, PATHS_OF_SET, type EntryColumn } from './schema.ts';
export { DETAIL_IS_GONE, detailKeptFrom } from './detail.ts';
export { IDENTITY_COLUMNS, type IdentityRow, type IdentityStore } from './identity-rows.ts';
export { fromRowEntry, STORED_ENTRY_COLUMNS } from './stored-entry.ts';
export { isTagKey, tagColumn, tagKeyOfPath, tagPath, type TagKeyedColumn } from './tag-column.ts';
export { SUMMED, SUMS, type SummedName } from './sums/schema.ts';
export { hasManyValues, IS_UNSETTLED, tagDimension, UNSETTLED } from './sums/dimension.ts';
export { IS_UNTAGGED, LISTED_SUMMED, listedRows, provenanceOf, SENDER, type ListedName } from './sums/listed.ts';
export { saysTooManyGroups, saysWide } from './rejection.ts';
export { LAST_NARROW_SEQ } from './narrow-columns.ts';
export { summedRows } from './sums/coverage.ts';
export { partOf, partRowsOf, refusingMore, type PartRowsAsked } from './sums/part-rows.ts';
export type { Cells, Summed } from './sums/summing.ts';
export { isCellTable, UNITS_MS, type Unit } from './sums/cells.ts';
export { openStore, type SeqRange, type Store, type StoreDeps, type Totals } from './store.ts';
export type { StoreLocation } from './connection.ts';
export type { Param, Params } from './bind.ts';
export type { ReadOptions } from './readers.ts';
export { tableDefinitions } from './table-definitions.ts';
export { batchToken, type Batch } from './insert.ts';
export { BatchRejected } from './rejection.ts';
export { boundariesIn, type Boundaries, type Shipping } from './boundaries.ts';
export { quarantineIn, type Quarantine, type Refused } from './quarantine.ts';
export { createShipper, type AsOf, type Shipper, type ShipperState } from './shipper.ts';
export type { DispatchDeps as ShipperDeps } from './dispatch.ts';
export type { EntryReader, JournalEntry } from './shipment.ts';
export type { Log } from './log.ts';
