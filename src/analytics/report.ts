import { ApportionError } from '#terms';
import {
  EVERYTHING,
  fromSource,
  fromTogether,
  readsSums,
  type Source,
  type TimeUnit,
  type Together,
} from './summed.ts';
import { createBindings, type Bindings } from './bindings.ts';
import { fromEntries, type EntryFilter } from './filter.ts';
import { OTHER, type GroupFields, type Grouping } from './grouping.ts';
import {
  COST_COLUMN,
  FOLDED_MEASURE_COLUMNS,
  fromRowMeasures,
  MEASURE_COLUMNS,
  NO_MEASURES,
  PARTIAL_COLUMNS,
  toWireMeasures,
  type Measures,
  type WireMeasures,
} from './measures.ts';
import { invariant } from '#std';
import type { AsOf } from '#ledger/store';
import type { Period } from './period.ts';
import { moneyOf, textOrNull, type Row, type StoreReader } from './reader.ts';

/** One run of a report: all its statements see the entries up to the same `asOf`, and stop with `signal`. */
export type Report = {
  readonly filter: EntryFilter;
  readonly asOf: AsOf;
  /** Runs a statement over the filtered entries; `sql` gets `FROM … WHERE …` and binds its own values. */
  rows(sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]>;
  /** The same over what `source` names of the entries, from their sums where that can be. `time`: what it looks at of `quarter`. */
  sums(source: Source, sql: (from: string, bindings: Bindings) => string, time?: TimeUnit): Promise<readonly Row[]>;
  /** True where `sums` would not read all of it from entries. */
  isSummed(source: Source): boolean;
  /** The same over several sources in one statement; null where one of them is not summed up, or no longer. */
  together(sources: Together, sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[] | null>;
  /** The same report over a part of its period. */
  within(part: Pick<Period, 'startMs' | 'endMs'>): Report;
};

export type AnalyticsDeps = { readonly store: StoreReader };

export function openReport(deps: AnalyticsDeps, filter: EntryFilter, signal: AbortSignal | undefined): Report {
  return reportOf(deps, { filter, asOf: deps.store.asOf() }, signal);
}

function reportOf(
  deps: AnalyticsDeps,
  { filter, asOf }: Pick<Report, 'filter' | 'asOf'>,
  signal: AbortSignal | undefined,
): Report {
  const { store } = deps;
  const run = (sql: (bindings: Bindings) => string): Promise<readonly Row[]> => {
    signal?.throwIfAborted();
    const bindings = createBindings();
    const text = sql(bindings);
    return store.query<Row>(text, bindings.params, signal === undefined ? {} : { signal });
  };
  const asked = { filter, asOf, store };
  const sums: Report['sums'] = async (source, sql, time) => {
    const from = fromSource(asked, source, time);
    const rows = await run((bindings) => sql(from.sql(bindings), bindings));
    // An erasure takes sums away, perhaps in the middle of this: what was read then may lack them.
    return from.stands() ? rows : await sums(source, sql, time);
  };
  const isSummed = (source: Source): boolean => readsSums(asked, source);
  const together: Report['together'] = async (sources, sql) => {
    if (!sources.every(({ source }) => isSummed(source))) return null;
    const from = fromTogether(asked, sources);
    const rows = await run((bindings) => sql(from.sql(bindings), bindings));
    return from.stands() ? rows : await together(sources, sql);
  };
  return {
    filter,
    asOf,
    rows: (sql) => run((bindings) => sql(fromEntries(filter, asOf, bindings), bindings)),
    sums,
    isSummed,
    together,
    within: (part) => reportOf(deps, { filter: { ...filter, period: { ...filter.period, ...part } }, asOf }, signal),
  };
}

/** The total over every entry of the report, each counted once. */
export async function totalOf(report: Report): Promise<Measures> {
  const [row] = await report.sums(EVERYTHING, (from) => `SELECT ${MEASURE_COLUMNS} ${from}`, 'none');
  invariant(row !== undefined, 'a sum without groups is one row');
  return fromRowMeasures(row);
}

export type Group = { readonly id: string | null; readonly fields: GroupFields; readonly measures: Measures };

export type Groups = {
  /** In the breakdown's own order, `(untagged)` always among them. */
  readonly groups: readonly Group[];
  /** What the breakdown itself puts aside: values beyond a cap, nodes elsewhere in the tree. */
  readonly aside: Group | undefined;
  /** True when there are more than `limit`. */
  readonly cut: boolean;
};

/** What to find out about groups: `cost` for who is dearest, when all else will be asked for anyway. */
export type GroupsAsk = { readonly limit: number; readonly measured: 'all' | 'cost' };

export async function groupsOf(
  report: Report,
  groupingFor: (bindings: Bindings) => Grouping,
  { limit, measured }: GroupsAsk,
): Promise<Groups> {
  const { source: read, chronological } = groupingFor(createBindings());
  const time: TimeUnit = chronological ? (bindings) => groupingFor(bindings).key : 'none';
  const ask = (sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]> =>
    read === undefined ? report.rows(sql) : report.sums(read, sql, time);
  const rows = await ask((from, bindings) => {
    const grouping = groupingFor(bindings);
    const { measures, source } = sourceOf(grouping, from);
    const asked = measured === 'cost' && grouping.foldedBy === undefined ? COST_COLUMN : measures;
    const columns = [`toString(k) AS id`, asked, ...grouping.extras].join(', ');
    const dearest = grouping.foldedBy === undefined ? 'sum(cost)' : 'sum(part_m_cost)';
    const order = grouping.chronological
      ? 'k'
      : `isNull(k) DESC, ifNull(toString(k), '') = '${OTHER}' DESC, coalesce(${dearest}, 0) DESC, k`;
    return `WITH ${grouping.key} AS k SELECT ${columns} ${source} GROUP BY k ORDER BY ${order} LIMIT ${bindings.bind('UInt32', limit + 3)}`;
  });
  const grouping = groupingFor(createBindings());
  const all = rows.map((row) => {
    const id = textOrNull(row, 'id');
    const measures = measured === 'cost' ? { ...NO_MEASURES, cost: moneyOf(row, 'm_cost') } : fromRowMeasures(row);
    return { id, fields: grouping.fields(id, row), measures };
  });
  const named = all.filter(({ id }) => id !== null && id !== OTHER);
  const kept = [...all.filter(({ id }) => id === null), ...named.slice(0, limit)];
  return {
    groups: grouping.chronological ? distinct(kept) : dearestFirst(kept),
    aside: all.find(({ id }) => id === OTHER),
    cut: named.length > limit,
  };
}

/** `FROM …` of a breakdown and its measures: entries as they are, or summed up first (see `Grouping.foldedBy`). */
export function sourceOf(
  { foldedBy }: Grouping,
  from: string,
  alsoBy: readonly string[] = [],
): { readonly measures: string; readonly source: string } {
  if (foldedBy === undefined) return { measures: MEASURE_COLUMNS, source: from };
  const by = [...foldedBy, ...alsoBy];
  return {
    measures: FOLDED_MEASURE_COLUMNS,
    source: `FROM (SELECT ${by.join(', ')}, ${PARTIAL_COLUMNS} ${from} GROUP BY ALL)`,
  };
}

export function dearestFirst(groups: readonly Group[]): readonly Group[] {
  return distinct(groups).toSorted(byCost);
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

/** How far back lists can say which call and session an entry was of; null: as far as there are entries. */
export type WireDetailKept = { readonly from: string; readonly days: number } | null;

export function toWireDetailKept({ store }: AnalyticsDeps): WireDetailKept {
  const kept = store.detailKept?.() ?? null;
  return kept === null ? null : { from: new Date(kept.from).toISOString(), days: kept.days };
}

/** What to say of something that is not found and may be too old. */
export function agedOut({ store }: AnalyticsDeps, what: string): string {
  const kept = store.detailKept?.() ?? null;
  return kept === null ? '' : ` ${what} that are older than ${kept.days} days are in sums only (store.retention_days).`;
}

export function notFound(what: string, hint: string): ApportionError {
  return new ApportionError('not_found', what, { hint });
}
