import { ENTRIES, SUMMED, SUMS, type AsOf, type Summed } from '#ledger/store';
import type { Bindings } from './bindings.ts';
import { conditionsOf, soleCondition, type EntryFilter, type SoleCondition } from './filter.ts';
import { isOfQuarters, withinTime, type Period } from './period.ts';
import type { StoreReader } from './reader.ts';
import { tagValueCondition } from './tag-condition.ts';

/** A column of a report, as an entry has it and as sums by the dimension have it: `value` or `detail`. */
export type SourceColumn = { readonly as: string; readonly entry: string; readonly sum: string };

/** What a report reads of entries, and the dimension whose sums have all of it. */
export type Source = { readonly dimension: string; readonly columns: readonly SourceColumn[] };

/** Nothing but the measures. */
export const EVERYTHING: Source = { dimension: 'all', columns: [] };

const MEASURED = SUMMED.join(', ');

const QUARTER_MS = 15 * 60 * 1000;
const UNITS_MS = { quarter: QUARTER_MS, hour: 4 * QUARTER_MS } as const;

/** What is kept of time beside the quarter of an hour: the first and the last instant, and when the last call ended. */
const INSTANTS = {
  sums: 'last_seq AS seq, first_at, last_at, end_at',
  entries:
    'seq, effective_at AS first_at, effective_at AS last_at, effective_at + toIntervalMillisecond(latency_ms) AS end_at',
} as const;

type Asked = { readonly filter: EntryFilter; readonly asOf: AsOf; readonly store: Pick<StoreReader, 'sums'> };

/** `FROM …` over what a source names, and whether what was read by it still counts. */
export type From = { sql(bindings: Bindings): string; stands(): boolean };

/**
 * `FROM …` with the source's columns, the measured ones and `quarter`, `seq`, `first_at`, `last_at`, `end_at`: sums as far as there are
 * any that tell apart what the report asks for, and entries one by one for the rest. Both ways every entry counts once.
 */
export function fromSource(asked: Asked, source: Source): From {
  const use = usableSums(asked, source);
  const entries = (bindings: Bindings): string => entriesOf(asked, source, bindings);
  if (use === null) return { sql: (bindings) => `FROM (${entries(bindings)})`, stands: () => true };
  const columns = source.columns.map(({ as, sum }) => `${sum} AS ${as}, `).join('');
  return {
    sql: (bindings) => `FROM (SELECT ${columns}quarter, ${INSTANTS.sums}, ${MEASURED} FROM ${SUMS}
        WHERE ${use.summed.sums} AND ${withinTime(use.inner, bindings.bind, 'quarter')}${use.where(bindings)}
      UNION ALL ${entries(bindings)} AND ${use.rest(bindings)})`,
    stands: use.summed.stands,
  };
}

type Use = {
  readonly summed: Summed;
  /** The part of the period that is made of whole units of the sums. */
  readonly inner: Period;
  where(bindings: Bindings): string;
  rest(bindings: Bindings): string;
};

function usableSums({ filter, asOf, store }: Asked, source: Source): Use | null {
  const sole = soleCondition(filter);
  if (sole === null) return null;
  const { period } = filter;
  const only = sole === 'period' ? null : sole;
  // A filter by one dimension is a choice among the sums by it.
  const dimension = only === null ? source.dimension : only.dimension;
  if (only !== null && source !== EVERYTHING && source.dimension !== dimension) return null;
  const summed = store.sums?.(dimension, asOf) ?? null;
  if (summed === null) return null;
  const unitMs = UNITS_MS[summed.per];
  const startMs = Math.ceil(period.startMs / unitMs) * unitMs;
  const endMs = Math.floor(period.endMs / unitMs) * unitMs;
  if (startMs >= endMs || !isOfQuarters({ startMs, endMs })) return null;
  const isWhole = startMs === period.startMs && endMs === period.endMs;
  return {
    summed,
    inner: { ...period, startMs, endMs },
    where: (bindings) => (only === null ? '' : ` AND ${valueCondition(only, bindings)}`),
    rest: ({ bind }) =>
      isWhole
        ? `(${summed.rest})`
        : `((${summed.rest}) OR NOT (${withinTime({ ...period, startMs, endMs }, bind, 'quarter')}))`,
  };
}

function valueCondition({ values, match }: SoleCondition, { bind }: Bindings): string {
  if (match === 'below') return tagValueCondition('value', values, bind);
  return `(${values.map((value) => (value === null ? 'isNull(value)' : `value = ${bind('String', value)}`)).join(' OR ')})`;
}

function entriesOf({ filter, asOf }: Asked, { columns }: Source, bindings: Bindings): string {
  const read = columns.map(({ as, entry }) => `${entry} AS ${as}, `).join('');
  return `SELECT ${read}quarter, ${INSTANTS.entries}, ${MEASURED} FROM ${ENTRIES}
    WHERE ${conditionsOf(filter, asOf, bindings).join(' AND ')}`;
}
