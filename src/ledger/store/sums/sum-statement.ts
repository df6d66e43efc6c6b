import { bind, quote } from '../bind.ts';
import { ENTRIES } from '../schema.ts';
import type { Dimension, ListDimension, ValueDimension } from './dimension.ts';
import { LISTED_SUMMED, listedRows } from './listed.ts';
import { SUMMED, SUMMED_COUNTS, SUMMED_MONEY, SUMS } from './schema.ts';

/** Consecutive entries of a node that are summed up together. */
export type SumRange = { readonly nodeId: string; readonly first: number; readonly through: number };

const SUMMED_SQL = [
  ...SUMMED_MONEY.map((name) => `coalesce(sum(${name}), 0)`),
  ...SUMMED_COUNTS.map((name) => `toInt64(sum(${name}))`),
].join(', ');

const PLACE = ['run', 'dimension', 'quarter', 'value', 'detail', 'last_seq', 'first_at', 'last_at', 'end_at'];

/** One thread: calls and reports go before. */
const SETTINGS = [
  'max_threads=1',
  'max_insert_threads=1',
  'max_partitions_per_insert_block=0',
  'max_memory_usage=300000000',
  'max_bytes_before_external_group_by=150000000',
];

/** Sums up a range by one dimension. */
export function sumStatement(run: number, range: SumRange, dimension: Dimension): string {
  const rows = dimension.per === 'day' ? sumsOfLists(dimension) : sumsOfValues(dimension);
  return bind(
    `INSERT INTO ${SUMS} (${[...PLACE, ...rows.columns].join(', ')}) SETTINGS ${SETTINGS.join(', ')}
    SELECT ${run}, ${quote(dimension.name)}, ${rows.sql}`,
    rangeParams(range),
  );
}

type SumsSql = { readonly columns: readonly string[]; readonly sql: string };

function sumsOfValues({ value, detail, per }: ValueDimension): SumsSql {
  const time = per === 'hour' ? 'toStartOfHour(quarter)' : 'quarter';
  return {
    columns: SUMMED,
    sql: `${time} AS s_time, ${value} AS s_value, ${detail} AS s_detail,
      max(seq), min(effective_at), max(effective_at), max(effective_at + toIntervalMillisecond(latency_ms)), ${SUMMED_SQL}
    FROM ${ENTRIES} WHERE ${IN_RANGE} GROUP BY s_time, s_value, s_detail`,
  };
}

function sumsOfLists({ name }: ListDimension): SumsSql {
  return {
    columns: ['entry_count', ...LISTED_SUMMED],
    sql: `time, value AS s_value, detail AS s_detail, max(seq), min(first_at), max(last_at), max(last_at),
      toInt64(sum(entry_count)), ${LISTED_SUMMED.map((column) => `coalesce(sum(${column}), 0)`).join(', ')}
    FROM (${listedRows(name, IN_RANGE, 'toStartOfDay(quarter)')}) GROUP BY time, s_value, s_detail`,
  };
}

const IN_RANGE = 'node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {through:UInt64}';

/** What the entries of a range come to, to be compared with their sums. */
export function totalStatement(range: SumRange): string {
  return bind(
    `SELECT toString(count()) AS entries, toString(coalesce(sum(cost), 0)) AS cost FROM ${ENTRIES} WHERE ${IN_RANGE}`,
    rangeParams(range),
  );
}

function rangeParams({ nodeId, first, through }: SumRange): Readonly<Record<string, string | number>> {
  return { node: nodeId, first, through };
}
