import { invariant, type TimestampMs } from '#std';
import { isTagKey, tagKeyOfPath } from '#ledger/store';
import { BUILT_INS } from './built-in.ts';
import { columnDimension, distinctOf, tagDimensionOf, type Dimension } from './distinct.ts';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { parseParameters } from './parameters.ts';
import { listOf, valueOf } from './grouping.ts';
import { countOf, textOf } from './reader.ts';
import { openReport, totalOf, toWireAsOf, type AnalyticsDeps, type Report, type WireAsOf } from './report.ts';
import { MOST_KEYS } from './tag-keys.ts';

export type DimensionsQuery = { readonly filter: EntryFilter };

export function parseDimensionsQuery(query: unknown, now: TimestampMs): DimensionsQuery {
  return { filter: parseFilter(parseParameters(query, FILTER_PARAMETERS), now) };
}

type WireDimension = {
  /** What to pass as `group_by`. */
  readonly group_by: string;
  readonly kind: 'built_in' | 'tag' | 'label' | 'path';
  /** Calls that carry it. */
  readonly calls: number;
  /** An estimate, off by about one percent; exact up to some hundreds. */
  readonly distinct_values: number;
};

export type DimensionsAnswer = {
  readonly data: readonly WireDimension[];
  /** Calls of the period. */
  readonly total_events: number;
  readonly distinct_values_are: 'approximate';
  /** True when more tag keys were seen than are listed. */
  readonly truncated: boolean;
  readonly as_of: WireAsOf;
};

const ENTITY: Dimension = {
  source: valueOf('entity', "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))"),
  column: "if(entity_type = '', '', concat(entity_type, '/', entity_id))",
};

const BUILT_IN: readonly { readonly groupBy: string; readonly dimension: Dimension }[] = [
  { groupBy: 'entity', dimension: ENTITY },
  ...(['model', 'provider', 'key_id', 'status', 'cost_state', ...BUILT_INS] as const).map((column) => {
    const groupBy = column === 'key_id' ? 'key' : column;
    return { groupBy, dimension: columnDimension(column, groupBy) };
  }),
];

/** What the period can be broken down by: the built-ins, and every tag key that was seen. */
export async function dimensions(
  deps: AnalyticsDeps,
  query: DimensionsQuery,
  signal?: AbortSignal,
): Promise<DimensionsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const { keys, isCut } = await keysOf(report);
  const [total, distinct, labels, paths] = await Promise.all([
    totalOf(report),
    distinctOf(report, [...BUILT_IN.map(({ dimension }) => dimension), ...keys.map(tagDimensionOf)]),
    withoutAny(report, 'label'),
    withoutAny(report, 'path'),
  ]);
  const data = distinct.map(({ values, calls }, at): WireDimension => {
    const builtIn = BUILT_IN[at];
    const kind = builtIn === undefined ? 'tag' : 'built_in';
    const groupBy = builtIn === undefined ? `tags.${keys[at - BUILT_IN.length]}` : builtIn.groupBy;
    return { group_by: groupBy, kind, calls, distinct_values: values };
  });
  const lists = [
    { kind: 'label' as const, ...labels },
    { kind: 'path' as const, ...paths },
  ].map(({ kind, values, without }): WireDimension => ({
    group_by: kind,
    kind,
    calls: total.events - without,
    distinct_values: values,
  }));
  return {
    data: [...data.slice(0, BUILT_IN.length), ...lists, ...data.slice(BUILT_IN.length)],
    total_events: total.events,
    distinct_values_are: 'approximate',
    truncated: isCut,
    as_of: toWireAsOf(report.asOf),
  };
}

/** How many different ones there are, about, and calls without any. */
async function withoutAny(
  report: Report,
  list: 'label' | 'path',
): Promise<{ readonly values: number; readonly without: number }> {
  // A call with two labels is in two rows; one with none is in one, without a value.
  const [row] = await report.sums(
    listOf(list),
    (from) =>
      `SELECT sumIf(counts_call, isNull(g)) AS x_without, uniqIf(assumeNotNull(g), isNotNull(g)) AS x_values ${from}`,
  );
  invariant(row !== undefined, 'a count without groups is one row');
  return { values: countOf(row, 'x_values'), without: countOf(row, 'x_without') };
}

/** The keys most calls carry, by name. */
async function keysOf(report: Report): Promise<{ readonly keys: readonly string[]; readonly isCut: boolean }> {
  const rows = await report.sums(
    listOf('tag_key'),
    (from) => `SELECT assumeNotNull(g) AS x_path, sum(counts_call) AS x_calls ${from} WHERE isNotNull(g)
      GROUP BY x_path ORDER BY x_calls DESC, x_path LIMIT ${MOST_KEYS + 1}`,
  );
  const keys = rows.map((row) => tagKeyOfPath(textOf(row, 'x_path'))).filter(isTagKey);
  return {
    keys: keys.slice(0, MOST_KEYS).toSorted(),
    isCut: keys.length > MOST_KEYS,
  };
}
