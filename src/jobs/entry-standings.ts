import type { StoreReader } from '#analytics';
import { standingOf, type EntryRecord, type Standing } from '#ledger';
import { ENTRIES, fromRowEntry, STORED_ENTRY_COLUMNS, type AsOf } from '#ledger/store';

/** An attempt's entry with what it and its corrections say. */
export type Stood = { readonly entry: EntryRecord; readonly standing: Standing };

type Row = Readonly<Record<string, unknown>>;

type Reading = { readonly store: StoreReader; readonly asOf: AsOf };

/** Up to where a job reads: what arrives meanwhile is not its business. */
export const UP_TO = '(node_id != {node:String} OR seq <= {seq:UInt64})';

export function upTo({ nodeId, seq }: AsOf): { readonly node: string; readonly seq: number } {
  return { node: nodeId, seq };
}

/** @param entries attempts, in the order they are handed back */
export async function withStandings(
  { store, asOf }: Reading,
  entries: readonly EntryRecord[],
): Promise<readonly Stood[]> {
  if (entries.length === 0) return [];
  // A correction is at the time of what it corrects.
  const times = entries.map(({ effectiveAt }) => effectiveAt);
  const found = await store.query<Row>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES}
      WHERE effective_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND effective_at <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
        AND ${UP_TO} AND kind = 'correction' AND corrects IN {entries:Array(String)}`,
    {
      ...upTo(asOf),
      from: Math.min(...times),
      to: Math.max(...times),
      entries: entries.map(({ entryId }) => entryId),
    },
  );
  const corrections = Map.groupBy(found.map(fromRowEntry), ({ corrects }) => corrects);
  return entries.map((entry) => ({ entry, standing: standingOf(entry, corrections.get(entry.entryId) ?? []) }));
}

/** All entries of a call, attempts first and in order. */
export async function entriesOfCall({ store, asOf }: Reading, callId: string): Promise<readonly EntryRecord[]> {
  const rows = await store.query<Row>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} WHERE call_id = {call:String} AND ${UP_TO}
      ORDER BY kind != 'attempt', attempt, seq`,
    { ...upTo(asOf), call: callId },
  );
  return rows.map(fromRowEntry);
}
