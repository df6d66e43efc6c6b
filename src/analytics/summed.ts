import {
  ENTRIES,
  LISTED_SUMMED,
  listedRows,
  SUMMED,
  SUMS,
  UNITS_MS,
  type AsOf,
  type ListedName,
  type Summed,
  type Unit,
} from '#ledger/store';
import { invariant } from '#std';
import type { Bindings } from './bindings.ts';
import { conditionsOf, soleCondition, type EntryFilter, type SoleCondition } from './filter.ts';
import { isOfQuarters, withinTime, type Period } from './period.ts';
import type { StoreReader } from './reader.ts';
import { tagValueCondition } from './tag-condition.ts';

/** A column of a report, as an entry has it and as sums by the dimension have it: `value` or `detail`. */
export type SourceColumn = { readonly as: string; readonly entry: string; readonly sum: string };

/** What a report reads of entries, and the dimension whose sums have all of it. */
export type Source = {
  readonly dimension: string;
  readonly columns: readonly SourceColumn[];
  /** Entries have any number of values: an entry counts once for each, or once for none. Only some measures are there, and no `quarter`. */
  readonly listed?: ListedName;
  /** What sums tell by what entries say themselves, and corrections change. */
  readonly corrected?: Corrected;
};

/** Where a value, column `g`, is another by now than its entry says. */
export type Corrected = {
  /** By now, of entries one by one. */
  entry(asked: Asked, bindings: Bindings): string;
  /** `FROM …` by now, with `g`, `quarter` and the measures, out of `from`, which has what entries say. */
  from(asked: Asked, from: string, bindings: Bindings): string;
};

/** Nothing but the measures. */
export const EVERYTHING: Source = { dimension: 'all', columns: [] };

const MEASURED = SUMMED.join(', ');

/** What is kept of time beside the quarter of an hour: the first and the last instant, and when the last call ended. */
const INSTANTS = {
  sums: 'last_seq AS seq, first_at, last_at, end_at',
  entries:
    'seq, effective_at AS first_at, effective_at AS last_at, effective_at + toIntervalMillisecond(latency_ms) AS end_at',
} as const;

export type Asked = {
  readonly filter: EntryFilter;
  readonly asOf: AsOf;
  readonly store: Pick<StoreReader, 'sums' | 'cells' | 'wide'>;
};

/** `FROM …` over what a source names, and whether what was read by it still counts. */
export type From = { sql(bindings: Bindings): string; stands(): boolean };

/**
 * `FROM …` with the source's columns, the measured ones and `quarter`, `seq`, `first_at`, `last_at`, `end_at`: sums as far as there are
 * any that tell apart what the report asks for, and entries one by one for the rest. Both ways every entry counts once.
 */
export function fromSource(asked: Asked, source: Source): From {
  const { columns, corrected } = source;
  const use = usableSums(asked, source);
  if (use === null) {
    const sql = (bindings: Bindings): string =>
      `FROM (${entriesOf({ ...source, columns: byNow(asked, source, bindings) }, entriesAsked(asked, bindings))})`;
    return { sql, stands: () => true };
  }
  const read = columns.map(({ as, sum }) => `${sum} AS ${as}, `).join('');
  const sql = (bindings: Bindings): string => `FROM (SELECT ${read}${columnsOf(source, 'sums')} FROM ${SUMS}
        WHERE ${use.summed.sums} AND ${withinTime(use.inner, bindings.bind, 'quarter')}${use.where(bindings)}
      UNION ALL ${entriesOf(source, `${entriesAsked(asked, bindings)} AND ${use.rest(bindings)}`)})`;
  return {
    sql: (bindings) => corrected?.from(asked, sql(bindings), bindings) ?? sql(bindings),
    stands: use.summed.stands,
  };
}

/** Columns as entries have them, by now where corrections change them. */
export function byNow(asked: Asked, { columns, corrected }: Source, bindings: Bindings): readonly SourceColumn[] {
  const entry = corrected?.entry(asked, bindings);
  return entry === undefined ? columns : columns.map((column) => ({ ...column, entry }));
}

/** True where a report reads the sums by a dimension. */
export function readsSums(asked: Asked, source: Source): boolean {
  return usableSums(asked, source) !== null;
}

/** Sources with a value as column `g`, all of which are summed up. */
export type Together = readonly { readonly at: number; readonly source: Source }[];

/**
 * `FROM …` over several sources at once: `at` which, `g` what, `counts_call`, `cost`, `first_at`, `last_at`. Entries that are in no sums are
 * read once for all sources that lack the same ones.
 */
export function fromTogether(asked: Asked, sources: Together): From {
  const used = sources.map(({ at, source }) => {
    const use = usableSums(asked, source);
    invariant(use !== null && source.listed === undefined, `${source.dimension} is summed up by its values`);
    return { at, source, use };
  });
  const sql = (bindings: Bindings): string => {
    const sums = used.map(
      ({ at, use }) => `SELECT toUInt32(${at}) AS at, value AS g, counts_call, cost, first_at, last_at FROM ${SUMS}
        WHERE ${use.summed.sums} AND ${withinTime(use.inner, bindings.bind, 'quarter')}${use.where(bindings)}`,
    );
    const lacking = Map.groupBy(used, ({ use }) => use.rest(bindings));
    const rest = Array.from(lacking, ([condition, those]) => {
      const values = those.map(({ at, source }) => `(toUInt32(${at}), CAST(${valueIn(source)} AS Nullable(String)))`);
      return `SELECT v.1 AS at, v.2 AS g, counts_call, cost, effective_at AS first_at, effective_at AS last_at FROM ${ENTRIES}
        ARRAY JOIN [${values.join(', ')}] AS v WHERE ${entriesAsked(asked, bindings)} AND ${condition}`;
    });
    return `FROM (${[...sums, ...rest].join(' UNION ALL ')})`;
  };
  return { sql, stands: () => used.every(({ use }) => use.summed.stands()) };
}

function valueIn({ columns, dimension }: Source): string {
  const value = columns.find(({ as }) => as === 'g');
  invariant(value !== undefined, `${dimension} has a value`);
  return value.entry;
}

/** How to read the sums by a dimension. */
export type SumsUse = {
  readonly dimension: string;
  readonly summed: Summed;
  /** The part of the period that is made of whole units of the sums. */
  readonly inner: Period;
  where(bindings: Bindings): string;
  rest(bindings: Bindings): string;
};

export function usableSums({ filter, asOf, store }: Asked, source: Source): SumsUse | null {
  const sole = soleCondition(filter);
  if (sole === null) return null;
  const { period } = filter;
  const only = sole === 'period' ? null : sole;
  // A filter by one dimension is a choice among the sums by it.
  const dimension = only === null ? source.dimension : only.dimension;
  if (only !== null && source !== EVERYTHING && source.dimension !== dimension) return null;
  const summed = store.sums?.(dimension, asOf) ?? null;
  if (summed === null) return null;
  const inner = wholeUnits(period, summed.per);
  if (inner === null) return null;
  return {
    dimension,
    summed,
    inner,
    where: (bindings) => (only === null ? '' : ` AND ${valueCondition(only, bindings)}`),
    rest: restOf(summed.rest, { period, inner }),
  };
}

/** The part of a period that is made of whole units; null for none. */
export function wholeUnits(period: Period, per: Unit): Period | null {
  const unitMs = UNITS_MS[per];
  const startMs = Math.ceil(period.startMs / unitMs) * unitMs;
  const endMs = Math.floor(period.endMs / unitMs) * unitMs;
  return startMs >= endMs || !isOfQuarters({ startMs, endMs }) ? null : { ...period, startMs, endMs };
}

/** True of entries that are in no sums, and of those before and behind the whole units. */
export function restOf(
  unsummed: string,
  { period, inner }: { readonly period: Period; readonly inner: Period },
): (bindings: Bindings) => string {
  if (inner.startMs === period.startMs && inner.endMs === period.endMs) return () => `(${unsummed})`;
  return ({ bind }) => `((${unsummed}) OR NOT (${withinTime(inner, bind, 'quarter')}))`;
}

function valueCondition({ values, match }: SoleCondition, { bind }: Bindings): string {
  if (match === 'below') return tagValueCondition('value', values, bind);
  return `(${values.map((value) => (value === null ? 'isNull(value)' : `value = ${bind('String', value)}`)).join(' OR ')})`;
}

export function entriesAsked({ filter, asOf }: Asked, bindings: Bindings): string {
  return conditionsOf(filter, asOf, bindings).join(' AND ');
}

function entriesOf(source: Source, where: string): string {
  const { columns, listed } = source;
  const read = columns.map(({ as, entry }) => `${entry} AS ${as}, `).join('');
  return `SELECT ${read}${columnsOf(source, 'entries')}
    FROM ${listed === undefined ? `${ENTRIES} WHERE ${where}` : `(${listedRows([listed], where)})`}`;
}

/** Time and measures, in the same order whatever they are read of. */
function columnsOf({ listed }: Source, of: keyof typeof INSTANTS): string {
  if (listed === undefined) return `quarter, ${INSTANTS[of]}, ${MEASURED}`;
  return `${of === 'sums' ? 'last_seq AS seq' : 'seq'}, first_at, last_at, ${LISTED_SUMMED.join(', ')}`;
}
