import { invariant, type TimestampMs } from '#std';
import { isTagKey, tagKeyOfPath } from '#ledger/store';
import { BUILT_INS } from './built-in.ts';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { parseParameters } from './parameters.ts';
import { countOf, textOf, type Row } from './reader.ts';
import { openReport, toWireAsOf, type AnalyticsDeps, type Report, type WireAsOf } from './report.ts';
import { distinctValues, KEY_SOURCE, MOST_KEYS } from './tag-keys.ts';

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

type Asked = {
  readonly groupBy: string;
  readonly kind: WireDimension['kind'];
  readonly present: string;
  readonly values: string;
};

const FIXED: readonly Asked[] = [
  {
    groupBy: 'entity',
    kind: 'built_in',
    present: "entity_type != ''",
    values: "uniqIf((entity_type, entity_id), entity_type != '')",
  },
  ...(['model', 'provider', 'key_id', 'status', 'cost_state', ...BUILT_INS] as const).map((column) => ({
    groupBy: column === 'key_id' ? 'key' : column,
    kind: 'built_in' as const,
    present: `${column} != ''`,
    values: `uniqIf(${column}, ${column} != '')`,
  })),
  { groupBy: 'label', kind: 'label', present: 'notEmpty(labels)', values: 'uniqArray(labels)' },
  { groupBy: 'path', kind: 'path', present: 'notEmpty(paths)', values: 'uniqArray(paths)' },
];

/** What the period can be broken down by: the built-ins, and every tag key that was seen. */
export async function dimensions(
  deps: AnalyticsDeps,
  query: DimensionsQuery,
  signal?: AbortSignal,
): Promise<DimensionsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const keys = await keyCalls(report);
  const listed = keys.slice(0, MOST_KEYS).toSorted((left, right) => (left.key < right.key ? -1 : 1));
  const [row, distinct] = await Promise.all([
    builtIns(report),
    distinctValues(
      report,
      listed.map(({ key }) => key),
    ),
  ]);
  return {
    data: [
      ...FIXED.map((dimension, at) => toWireDimension(dimension, row, at)),
      ...listed.map(({ key, calls }, at) => ({
        group_by: `tags.${key}`,
        kind: 'tag' as const,
        calls,
        distinct_values: distinct[at] ?? 0,
      })),
    ],
    total_events: countOf(row, 'm_events'),
    distinct_values_are: 'approximate',
    truncated: keys.length > listed.length,
    as_of: toWireAsOf(report.asOf),
  };
}

type KeyCalls = { readonly key: string; readonly calls: number };

/** The keys most calls carry, one more than are listed. */
async function keyCalls(report: Report): Promise<readonly KeyCalls[]> {
  const rows = await report.rows(
    (from) => `SELECT arrayJoin(${KEY_SOURCE.names}) AS x_path, sum(calls) AS x_calls
      FROM (SELECT tag_keys, sum(counts_call) AS calls ${from} AND tag_keys != '' GROUP BY tag_keys)
      GROUP BY x_path ORDER BY x_calls DESC, x_path LIMIT ${MOST_KEYS + 1}`,
  );
  return rows
    .map((row) => ({ key: tagKeyOfPath(textOf(row, 'x_path')), calls: countOf(row, 'x_calls') }))
    .filter(({ key }) => isTagKey(key));
}

async function builtIns(report: Report): Promise<Row> {
  const columns = FIXED.map(
    ({ present, values }, at) => `sumIf(counts_call, ${present}) AS c${at}, ${values} AS v${at}`,
  );
  const [row] = await report.rows((from) => `SELECT sum(counts_call) AS m_events, ${columns.join(', ')} ${from}`);
  invariant(row !== undefined, 'a count without groups is one row');
  return row;
}

function toWireDimension({ groupBy, kind }: Asked, row: Row, at: number): WireDimension {
  return { group_by: groupBy, kind, calls: countOf(row, `c${at}`), distinct_values: countOf(row, `v${at}`) };
}
