import type { TimestampMs } from '#std';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { groupingOf } from './breakdown.ts';
import { parseGroupBy, tagKeyOf, type GroupBy } from './group-by.ts';
import { OTHER, type Grouping } from './grouping.ts';
import { createBindings, type Bindings } from './bindings.ts';
import { lessMeasures, sumMeasures, toWireMeasures, type Measures, type WireMeasures } from './measures.ts';
import { parseParameters } from './parameters.ts';
import {
  groupsOf,
  openReport,
  totalOf,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Group,
  type Groups,
  type Report,
  type WireAsOf,
  type WireSummary,
} from './report.ts';

export type CostsQuery = { readonly filter: EntryFilter; readonly groupBy: GroupBy; readonly limit: number };

/** Rows of one answer. A breakdown by a tag with more values is cut by cost, the rest summed up in `(other)`. */
const ROWS = { least: 1, most: 10_000, otherwise: 1000 } as const;

export function parseCostsQuery(query: unknown, now: TimestampMs): CostsQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, 'group_by', 'limit']);
  const groupBy = parseGroupBy(parameters.text('group_by') ?? 'entity');
  return {
    filter: parseFilter(parameters, now, tagKeyOf(groupBy)),
    groupBy,
    limit: parameters.whole('limit', ROWS),
  };
}

export type WireGroup = WireMeasures & {
  readonly value: string;
  readonly untagged: boolean;
  readonly other: boolean;
  readonly [field: string]: unknown;
};

export type CostsAnswer = {
  readonly data: readonly WireGroup[];
  readonly summary: WireSummary;
  /** True when a call may stand in several rows: then they do not add up to the summary, which counts each call once. */
  readonly overlapping: boolean;
  /** True when `limit` left rows out. */
  readonly truncated: boolean;
  readonly as_of: WireAsOf;
};

/** Who spent what. Parts of a partition add up to the summary to the pico-dollar. */
export async function costs(deps: AnalyticsDeps, query: CostsQuery, signal?: AbortSignal): Promise<CostsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const groupingFor = (bindings: Bindings): Grouping => groupingOf(query.groupBy, report, bindings);
  const { overlapping } = groupingFor(createBindings());
  const [groups, total] = overlapping
    ? await Promise.all([groupsOf(report, groupingFor, { limit: query.limit, measured: 'all' }), totalOf(report)])
    : await partition(report, groupingFor, query.limit);
  return {
    data: toWireGroups(groups, total, overlapping ? 'overlap' : 'partition'),
    summary: toWireSummary(total, query.filter),
    overlapping,
    truncated: groups.cut,
    as_of: toWireAsOf(report.asOf),
  };
}

/** The groups of a partition that was not cut are all there is: no second statement has to add up the same entries. */
async function partition(
  report: Report,
  groupingFor: (bindings: Bindings) => Grouping,
  limit: number,
): Promise<readonly [Groups, Measures]> {
  const found = await groupsOf(report, groupingFor, { limit, measured: 'all' });
  if (found.cut) return [found, await totalOf(report)];
  const parts = found.aside === undefined ? found.groups : [...found.groups, found.aside];
  return [found, sumMeasures(parts.map(({ measures }) => measures))];
}

/** The rows of a breakdown. Parts of a partition get one row `(other)` for all that has no row of its own. */
export function toWireGroups(
  { groups, aside, cut }: Groups,
  total: Measures,
  parts: 'partition' | 'overlap',
): readonly WireGroup[] {
  const rows = groups.map(toWireGroup);
  if (parts === 'overlap') return aside === undefined ? rows : [...rows, { ...toWireGroup(aside), other: true }];
  return cut || aside !== undefined ? [...rows, otherGroup(total, groups)] : rows;
}

function toWireGroup(group: Group): WireGroup {
  return { ...group.fields, untagged: group.id === null, other: false, ...toWireMeasures(group.measures) };
}

function otherGroup(total: Measures, groups: readonly Group[]): WireGroup {
  const rest = lessMeasures(
    total,
    groups.map(({ measures }) => measures),
  );
  return { value: OTHER, untagged: false, other: true, ...toWireMeasures(rest) };
}
