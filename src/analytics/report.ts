import { ApportionError } from '#terms';
import { createBindings, type Bindings } from './bindings.ts';
import { fromEntries, type EntryFilter } from './filter.ts';
import type { GroupFields, Grouping } from './grouping.ts';
import { fromRowMeasures, MEASURE_COLUMNS, toWireMeasures, type Measures, type WireMeasures } from './measures.ts';
import { invariant } from '#std';
import type { AsOf } from '#ledger/store';
import { textOrNull, type Row, type StoreReader } from './reader.ts';

/** One run of a report: all its statements see the entries up to the same `asOf`, and stop with `signal`. */
export type Report = {
  readonly filter: EntryFilter;
  readonly asOf: AsOf;
  /** Runs a statement over the filtered entries; `sql` gets `FROM … WHERE …` and binds its own values. */
  rows(sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]>;
};

export type AnalyticsDeps = { readonly store: StoreReader };

export function openReport(deps: AnalyticsDeps, filter: EntryFilter, signal: AbortSignal | undefined): Report {
  const asOf = deps.store.asOf();
  return {
    filter,
    asOf,
    rows: (sql) => {
      signal?.throwIfAborted();
      const bindings = createBindings();
      const text = sql(fromEntries(filter, asOf, bindings), bindings);
      return deps.store.query<Row>(text, bindings.params, signal === undefined ? {} : { signal });
    },
  };
}

/** The total over every entry of the report, each counted once. */
export async function totalOf(report: Report): Promise<Measures> {
  const [row] = await report.rows((from) => `SELECT ${MEASURE_COLUMNS} ${from}`);
  invariant(row !== undefined, 'a sum without groups is one row');
  return fromRowMeasures(row);
}

export type Group = { readonly id: string | null; readonly fields: GroupFields; readonly measures: Measures };

/** A breakdown in its own order, `(untagged)` always among the groups; `cut` when there are more than `limit`. */
export async function groupsOf(
  report: Report,
  groupingFor: (bindings: Bindings) => Grouping,
  limit: number,
): Promise<{ readonly groups: readonly Group[]; readonly cut: boolean }> {
  const rows = await report.rows((from, bindings) => {
    const grouping = groupingFor(bindings);
    const columns = [`toString(k) AS id`, MEASURE_COLUMNS, ...grouping.extras].join(', ');
    const order = grouping.chronological ? 'k' : 'isNull(k) DESC, coalesce(sum(cost), 0) DESC, k';
    return `WITH ${grouping.key} AS k SELECT ${columns} ${from} GROUP BY k ORDER BY ${order} LIMIT ${bindings.bind('UInt32', limit + 2)}`;
  });
  const grouping = groupingFor(createBindings());
  const all = distinct(
    rows.map((row) => {
      const id = textOrNull(row, 'id');
      return { id, fields: grouping.fields(id, row), measures: fromRowMeasures(row) };
    }),
  );
  const kept = all.slice(0, all[0]?.id === null ? limit + 1 : limit);
  const groups = grouping.chronological ? kept : kept.toSorted(byCost);
  return { groups, cut: kept.length < all.length };
}

/** Two groups of one name (two keys of one alias) get their ids behind it: a client tells rows apart by `value`. */
function distinct(groups: readonly Group[]): readonly Group[] {
  const seen = new Map<string, number>();
  for (const { fields } of groups) seen.set(fields.value, (seen.get(fields.value) ?? 0) + 1);
  return groups.map((group) => {
    const { value } = group.fields;
    return seen.get(value) === 1 ? group : { ...group, fields: { ...group.fields, value: `${value} (${group.id})` } };
  });
}

/** Dearest first; the same costs by value, so that two runs give one order. */
function byCost(left: Group, right: Group): number {
  if (left.measures.cost !== right.measures.cost) return left.measures.cost < right.measures.cost ? 1 : -1;
  return left.fields.value < right.fields.value ? -1 : 1;
}

export type WireSummary = WireMeasures & {
  readonly period: { readonly start: string; readonly end: string };
  readonly timezone: string;
};

export function toWireSummary(total: Measures, { period }: EntryFilter): WireSummary {
  return {
    ...toWireMeasures(total),
    period: { start: period.start, end: period.end },
    timezone: period.timeZone,
  };
}

export type WireAsOf = { readonly node_id: string; readonly seq: number; readonly at: string | null };

export function toWireAsOf(asOf: AsOf): WireAsOf {
  return { node_id: asOf.nodeId, seq: asOf.seq, at: asOf.at === null ? null : new Date(asOf.at).toISOString() };
}

export function notFound(what: string, hint: string): ApportionError {
  return new ApportionError('not_found', what, { hint });
}
