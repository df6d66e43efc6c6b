import { ENTRIES } from '#ledger/store';
import type { TimestampMs } from '#std';
import { countOf, textOf, type Row } from './reader.ts';
import type { AnalyticsDeps } from './report.ts';

/** When each of these keys made its last call that is in the store; a key that made none is not there. */
export async function lastUses(
  { store }: AnalyticsDeps,
  keyIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TimestampMs>> {
  if (keyIds.length === 0) return new Map();
  const rows = await store.query<Row>(
    `SELECT toString(key_id) AS x_key, toUnixTimestamp64Milli(max(effective_at)) AS x_last FROM ${ENTRIES}
      WHERE key_id IN {keys:Array(String)} AND counts_call = 1 GROUP BY key_id`,
    { keys: keyIds },
    { signal },
  );
  return new Map(rows.map((row) => [textOf(row, 'x_key'), countOf(row, 'x_last') as TimestampMs]));
}
