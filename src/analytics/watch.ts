import { IS_UNTAGGED, isTagKey, tagColumn } from '#ledger/store';
import type { TimestampMs } from '#std';
import type { PicoUsd } from '#terms';
import { type Bindings } from './bindings.ts';
import { groupingOf } from './breakdown.ts';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { parseGroupBy, tagKeyOf, type GroupBy } from './group-by.ts';
import { OTHER } from './grouping.ts';
import { invalidQuery, parseParameters } from './parameters.ts';
import { PERIOD_PARAMETERS } from './period.ts';
import { countOf, moneyOf, textOrNull, type Row } from './reader.ts';
import { openReport, type AnalyticsDeps, type Report } from './report.ts';
import { byNow } from './summed.ts';

/** What is watched all the time: entries that a filter of reports takes, as a whole or each value of a breakdown by itself. */
export type Watch = { readonly filter: EntryFilter; readonly each: GroupBy | null };

/** Half-open, as everywhere. */
export type WatchedTime = { readonly start: TimestampMs; readonly end: TimestampMs };

/** One value of the breakdown, or everything, in which case the value is empty. */
export type WatchFigures = {
  readonly value: string;
  readonly cost: PicoUsd;
  readonly billed: PicoUsd;
  readonly calls: number;
  /** Calls whose last attempt failed; one that the client left has not failed. */
  readonly failed: number;
  readonly unpriced: number;
  /** Cost of calls without the tag that is asked about. */
  readonly lacking: PicoUsd;
  /** Of calls whose cost the provider states and of which a cost can be worked out: the two. */
  readonly reported: PicoUsd;
  readonly computed: PicoUsd;
};

/** Values of one breakdown that are watched; the dearest, should there be more. */
const MOST_VALUES = 10_000;

const SCOPE_PARAMETERS = FILTER_PARAMETERS.filter((name) => !PERIOD_PARAMETERS.some((one) => one === name));

/** @param each as `group_by` of reports; null for everything as a whole */
export function parseWatch(scope: unknown, each: string | null): Watch {
  const groupBy = each === null ? null : parsePartition(each);
  const parameters = parseParameters(scope, SCOPE_PARAMETERS);
  return {
    filter: parseFilter(parameters, SOME_TIME, groupBy === null ? undefined : tagKeyOf(groupBy)),
    each: groupBy,
  };
}

/** The period of a watch is said with each question; until then it is any. */
const SOME_TIME = Date.UTC(2000, 0) as TimestampMs;

/** Breakdowns in which every call has one place: only then does each value have an amount of its own. */
function parsePartition(each: string): GroupBy {
  const groupBy = parseGroupBy(each);
  if (['time', 'label', 'path', 'tag_tree'].includes(groupBy.kind)) {
    throw invalidQuery(
      'for_each',
      `"${each}" does not put every call in one place.`,
      'Use a tag, an entity or a column, such as tags.customer, key.team or model.',
    );
  }
  return groupBy;
}

/** What an answer says of calls without the tag; null: of calls with no tag and no entity at all. */
export function parseLackingTag(tag: string | null): string | null {
  if (tag === null || isTagKey(tag)) return tag;
  throw invalidQuery('tag', `"${tag}" is no tag key.`, 'Keys hold letters, digits, "_", "." and "-".');
}

export async function watchFigures(
  deps: AnalyticsDeps,
  watch: Watch,
  ask: { readonly time: WatchedTime; readonly lackingTag: string | null },
): Promise<readonly WatchFigures[]> {
  const report = openReport(deps, filterIn(watch, ask.time), undefined);
  const columns = figureColumns(ask.lackingTag);
  const { each } = watch;
  const rows =
    each === null
      ? await report.rows((from) => `SELECT '' AS id, ${columns} ${from}`)
      : await report.rows((from, bindings) => {
          const key = keyOf(each, report, bindings);
          const most = bindings.bind('UInt32', MOST_VALUES);
          return `WITH ${key} SELECT toString(k) AS id, ${columns} ${from} AND isNotNull(k)
            GROUP BY k ORDER BY coalesce(sum(cost), 0) DESC, k LIMIT ${most}`;
        });
  return rows.map(toFigures).filter(({ value }) => value !== OTHER);
}

/** Values that had any entry in this time. */
export async function watchedValues(
  deps: AnalyticsDeps,
  watch: Watch,
  time: WatchedTime,
): Promise<ReadonlySet<string>> {
  const report = openReport(deps, filterIn(watch, time), undefined);
  const { each } = watch;
  const rows = await report.rows((from, bindings) => {
    const key = each === null ? "'' AS k" : keyOf(each, report, bindings);
    const most = bindings.bind('UInt32', MOST_VALUES);
    return `WITH ${key} SELECT toString(k) AS id ${from} AND isNotNull(k) GROUP BY k LIMIT ${most}`;
  });
  return new Set(rows.map((row) => textOrNull(row, 'id') ?? ''));
}

/** `k`, worked out from the entries themselves: what is watched here is not all in their sums. */
function keyOf(each: GroupBy, report: Report, bindings: Bindings): string {
  const { key, source } = groupingOf(each, report, bindings);
  const value = byNow({ ...report, store: {} }, source, bindings).find(({ as }) => as === 'g');
  return value === undefined ? `${key} AS k` : `${value.entry} AS g, ${key} AS k`;
}

function filterIn({ filter }: Watch, { start, end }: WatchedTime): EntryFilter {
  return { ...filter, period: { ...filter.period, startMs: start, endMs: end } };
}

function figureColumns(lackingTag: string | null): string {
  const lacking = lackingTag === null ? IS_UNTAGGED : `isNull(${tagColumn(lackingTag)})`;
  const both = "cost_state = 'reported' AND isNotNull(computed_cost)";
  return [
    'toString(coalesce(sum(cost), 0)) AS m_cost',
    'toString(coalesce(sum(cost), 0) + sum(billed_extra)) AS m_billed',
    'sum(counts_call) AS m_calls',
    "sumIf(counts_call, status NOT IN ('ok', 'client_closed')) AS m_failed",
    'sum(unpriced_count) AS m_unpriced',
    `toString(coalesce(sumIf(cost, ${lacking}), 0)) AS m_lacking`,
    `toString(coalesce(sumIf(cost, ${both}), 0)) AS m_reported`,
    `toString(coalesce(sumIf(computed_cost, ${both}), 0)) AS m_computed`,
  ].join(', ');
}

function toFigures(row: Row): WatchFigures {
  return {
    value: textOrNull(row, 'id') ?? '',
    cost: moneyOf(row, 'm_cost'),
    billed: moneyOf(row, 'm_billed'),
    calls: countOf(row, 'm_calls'),
    failed: countOf(row, 'm_failed'),
    unpriced: countOf(row, 'm_unpriced'),
    lacking: moneyOf(row, 'm_lacking'),
    reported: moneyOf(row, 'm_reported'),
    computed: moneyOf(row, 'm_computed'),
  };
}
