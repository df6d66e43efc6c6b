import { invariant } from '#std';
import { bind, quote } from '../bind.ts';
import { ENTRIES } from '../schema.ts';
import type { Dimension, Fold, ValueDimension } from './dimension.ts';
import { LISTED_SUMMED, listedRows, type ListedName } from './listed.ts';
import { SUMMED, SUMMED_COUNTS, SUMMED_MONEY, SUMS } from './schema.ts';
import { IN_RANGE, rangeParams, SUM_SETTINGS, type SumRange } from './sum-range.ts';

const SUMMED_SQL = [
  ...SUMMED_MONEY.map((name) => `coalesce(sum(${name}), 0)`),
  ...SUMMED_COUNTS.map((name) => `toInt64(sum(${name}))`),
].join(', ');

const PLACE = ['run', 'dimension', 'quarter', 'value', 'detail', 'last_seq', 'first_at', 'last_at', 'end_at'];

/** Sums up a range by dimensions that are of one statement, see `statementsOf`. */
export function sumStatement(run: number, range: SumRange, dimensions: readonly Dimension[]): string {
  const rows = sumsOf(dimensions);
  return bind(
    `INSERT INTO ${SUMS} (${[...PLACE, ...rows.columns].join(', ')}) SETTINGS ${SUM_SETTINGS} SELECT ${run}, ${rows.sql}`,
    rangeParams(range),
  );
}

type SumsSql = { readonly columns: readonly string[]; readonly sql: string };

function sumsOf(dimensions: readonly Dimension[]): SumsSql {
  const [first] = dimensions;
  invariant(first !== undefined, 'a statement sums up something');
  if (first.per === 'day') return sumsOfLists(dimensions.flatMap((one) => (one.per === 'day' ? [one.name] : [])));
  if (first.fold === null) return sumsOfValues(first);
  return sumsOfFold(
    first.fold,
    dimensions.flatMap((one) => (one.per === 'day' ? [] : [one])),
  );
}

const ENDED_AT = 'effective_at + toIntervalMillisecond(latency_ms)';

function sumsOfValues({ name, value, detail, per }: ValueDimension): SumsSql {
  const time = per === 'hour' ? 'toStartOfHour(quarter)' : 'quarter';
  return {
    columns: SUMMED,
    sql: `${quote(name)}, ${time} AS s_time, ${value} AS s_value, ${detail} AS s_detail,
      max(seq), min(effective_at), max(effective_at), max(${ENDED_AT}), ${SUMMED_SQL}
    FROM ${ENTRIES} WHERE ${IN_RANGE} GROUP BY s_time, s_value, s_detail`,
  };
}

function sumsOfFold({ by }: Fold, dimensions: readonly ValueDimension[]): SumsSql {
  const items = dimensions.map(
    ({ name, value, detail }) => `(${quote(name)}, CAST(${value}, 'Nullable(String)'), ${detail})`,
  );
  return {
    columns: SUMMED,
    sql: `item.1 AS s_dimension, f_time, item.2 AS s_value, item.3 AS s_detail,
      max(f_seq), min(f_first), max(f_last), max(f_end), ${SUMMED_MONEY.map((name) => `sum(f_${name})`).join(', ')},
      ${SUMMED_COUNTS.map((name) => `toInt64(sum(f_${name}))`).join(', ')}
    FROM (SELECT quarter AS f_time, ${by.join(', ')}, max(seq) AS f_seq, min(effective_at) AS f_first, max(effective_at) AS f_last,
        max(${ENDED_AT}) AS f_end, ${SUMMED_MONEY.map((name) => `coalesce(sum(${name}), 0) AS f_${name}`).join(', ')},
        ${SUMMED_COUNTS.map((name) => `sum(${name}) AS f_${name}`).join(', ')}
      FROM ${ENTRIES} WHERE ${IN_RANGE} GROUP BY ALL)
    ARRAY JOIN [${items.join(', ')}] AS item GROUP BY s_dimension, f_time, s_value, s_detail`,
  };
}

function sumsOfLists([name, ...more]: readonly ListedName[]): SumsSql {
  invariant(name !== undefined, 'a statement sums up something');
  return {
    columns: ['entry_count', ...LISTED_SUMMED],
    sql: `dimension AS s_dimension, time, value AS s_value, detail AS s_detail, max(seq), min(first_at), max(last_at), max(last_at),
      toInt64(sum(entry_count)), ${LISTED_SUMMED.map((column) => `coalesce(sum(${column}), 0)`).join(', ')}
    FROM (${listedRows([name, ...more], IN_RANGE, 'toStartOfDay(quarter)')}) GROUP BY s_dimension, time, s_value, s_detail`,
  };
}

/** What the entries of a range come to, to be compared with their sums. */
export function totalStatement(range: SumRange): string {
  return bind(
    `SELECT toString(count()) AS entries, toString(coalesce(sum(cost), 0)) AS cost, toString(sum(toInt128(narrow_cost))) AS narrowCost
     FROM ${ENTRIES} WHERE ${IN_RANGE}`,
    rangeParams(range),
  );
}
