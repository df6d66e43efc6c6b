import { ApportionError } from '#terms';
import { EVERYTHING, fromSource, fromTogether, readsSums, type From, type Source, type Together } from './summed.ts';
import { createBindings, type Bindings } from './bindings.ts';
import { fromEntries, type EntryFilter } from './filter.ts';
import { extraColumns, OTHER, type GroupFields, type Grouping } from './grouping.ts';
import { fromRowMeasures, PART_MEASURES, toWireMeasures, type Measures, type WireMeasures } from './measures.ts';
import { invariant } from '#std';
import { saysWide, SUMMED, type AsOf } from '#ledger/store';
import { fromParts, type PartsAsked } from './parts.ts';
import type { Period } from './period.ts';
import { textOrNull, type Row, type StoreReader } from './reader.ts';

/** One run of a report: all its statements see the entries up to the same `asOf`, and stop with `signal`. */
export type Report = {
  readonly filter: EntryFilter;
  readonly asOf: AsOf;
  /** Runs a statement over the filtered entries; `sql` gets `FROM … WHERE …` and binds its own values. */
  rows(sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]>;
  /** The same over what `source` names of the entries, from their sums where that can be. */
  sums(source: Source, sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]>;
  /** The same of what is summed up already, by what is asked for: see `fromParts`. */
  parts(asked: PartsAsked, sql: (from: string, bindings: Bindings) => string): Promise<readonly Row[]>;
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
  const read = async (
    fromOf: () => From,
    sql: (from: string, bindings: Bindings) => string,
  ): Promise<readonly Row[]> => {
    const from = fromOf();
    // Several statements may meet a wide entry at once: each that did not look for one is asked again.
    const hoped = store.wide?.met === false;
    try {
      const rows = await run((bindings) => sql(from.sql(bindings), bindings));
      // An erasure takes sums away, perhaps in the middle of this: what was read then may lack them.
      if (from.stands()) return rows;
    } catch (error) {
      if (store.wide !== undefined && hoped && saysWide(error)) store.wide.met = true;
      // Else it may be that the table it reads is gone.
      else if (from.stands()) throw error;
    }
    return await read(fromOf, sql);
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
    sums: (source, sql) => read(() => fromSource(asked, source), sql),
    parts: (parts, sql) => read(() => fromParts(asked, parts), sql),
    isSummed,
    together,
    within: (part) => reportOf(deps, { filter: { ...filter, period: { ...filter.period, ...part } }, asOf }, signal),
  };
}

/** The total over every entry of the report, each counted once. */
export async function totalOf(report: Report): Promise<Measures> {
  const asked = { source: EVERYTHING, time: 'none', summed: SUMMED } as const;
  const [row] = await report.parts(asked, (from) => `SELECT ${PART_MEASURES} ${from}`);
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
  const { source, time, extras } = groupingFor(createBindings());
  const costAlone = measured === 'cost' && !extras.some((extra) => 'sum' in extra);
  const asked: PartsAsked = {
    source,
    time,
    summed: costAlone ? ['cost'] : SUMMED,
  };
  const rows = await report.parts(asked, (from, bindings) => {
    const isByTime = time !== 'none';
    const order = isByTime
      ? 'k'
      : `isNull(k) DESC, ifNull(toString(k), '') = '${OTHER}' DESC, sumForEach(part)[1] DESC, k`;
    return `WITH ${isByTime ? 't' : groupingFor(bindings).key} AS k
      SELECT toString(k) AS id, ${PART_MEASURES}${extraColumns(extras, 'whole')} ${from}
      GROUP BY k ORDER BY ${order} LIMIT ${bindings.bind('UInt32', limit + 3)}`;
  });
  const grouping = groupingFor(createBindings());
  const all = rows.map((row) => {
    const id = textOrNull(row, 'id');
    return { id, fields: grouping.fields(id, row), measures: fromRowMeasures(row) };
  });
  const named = all.filter(({ id }) => id !== null && id !== OTHER);
  const kept = [...all.filter(({ id }) => id === null), ...named.slice(0, limit)];
  return {
    groups: grouping.time !== 'none' ? distinct(kept) : dearestFirst(kept),
    aside: all.find(({ id }) => id === OTHER),
    cut: named.length > limit,
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
