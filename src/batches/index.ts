/**
 * Is: batches of calls that a provider works on for hours: what was asked for, at what risk, and what became of each line.
 * Owns: reading and cleaning of their lines, their records in `data/batches`, metering of their results line by line. Not: HTTP, keys, who asks.
 * Holds: each line has one entry, whoever fetches it, how often, in whatever pieces; a record is on disk before the batch's id is told.
 * Fails: `ApportionError` naming the line and the field; a record that cannot be read stops the start, as money would be missed.
 */
export { BatchBook, type OpenBatch } from './batch-book.ts';
export { openBatchFolder, type BatchFolder } from './batch-folder.ts';
export type { BatchRecord, LineRow } from './batch-record.ts';
export { readJsonLines, readRequestList, type AskedLine, type CleanLine } from './asked-lines.ts';
export { BATCH_TIER } from './result-line.ts';
