import { partOf, partRowsOf, refusingMore, SUMS, type SummedName } from '#ledger/store';
import { invariant } from '#std';
import type { Bindings } from './bindings.ts';
import { sumsOfColumns } from './measures.ts';
import { orderColumn, withinTime } from './period.ts';
import {
  byNow,
  entriesAsked,
  fromSource,
  usableSums,
  type Asked,
  type From,
  type Source,
  type SourceColumn,
} from './summed.ts';

/** What a statement tells apart of time: an expression of `quarter`, or nothing of it. */
export type TimeUnit = ((bindings: Bindings) => string) | 'none';

/** What to sum up of a source, and what of the time to tell apart. */
export type PartsAsked = {
  readonly source: Source;
  readonly time: TimeUnit;
  readonly summed: readonly SummedName[];
  /** More rows than these are refused. */
  readonly most?: number;
};

/**
 * `FROM …` with the source's columns, `t` (the time, if it is told apart), `seq` (of the newest) and `part`: the sums in the order of `summed`, see
 * `partOf`. They are summed up where they are read, out of sums and entries as `fromSource` chooses them.
 */
export function fromParts(asked: Asked, parts: PartsAsked): From {
  const { source } = parts;
  invariant(source.listed === undefined, `${source.dimension} has one value an entry`);
  const { columns, corrected } = source;
  const ofEntries = (read: readonly SourceColumn[], where: string, bindings: Bindings): string =>
    partRowsOf({
      columns: read.map(({ as, entry }) => ({ as, sql: entry })),
      time: unitOf(parts, bindings),
      summed: parts.summed,
      order: orderColumn(asked.asOf),
      most: parts.most,
      wide: asked.store.wide?.met === false ? 'none' : 'some',
      where,
    });
  const use = usableSums(asked, source);
  if (use === null) {
    const sql = (bindings: Bindings): string =>
      `FROM (${ofEntries(byNow(asked, source, bindings), entriesAsked(asked, bindings), bindings)})`;
    return { sql, stands: () => true };
  }
  if (corrected !== undefined) {
    const from = fromSource(asked, source);
    const told = { columns: columns.map(({ as }) => as), seq: 'toUInt64(0)' };
    return {
      sql: (bindings) => `FROM (${folded(parts, { ...told, from: from.sql(bindings) }, bindings)})`,
      stands: from.stands,
    };
  }
  const told = { columns: columns.map(({ as, sum }) => `${sum} AS ${as}`), seq: 'max(last_seq)' };
  const sql = (bindings: Bindings): string => {
    const within = withinTime(use.inner, bindings.bind, 'quarter');
    const from = `FROM ${SUMS} WHERE ${use.summed.sums} AND ${within}${use.where(bindings)}`;
    const rest = `${entriesAsked(asked, bindings)} AND ${use.rest(bindings)}`;
    return `FROM (${folded(parts, { ...told, from }, bindings)} UNION ALL ${ofEntries(columns, rest, bindings)})`;
  };
  return { sql, stands: use.summed.stands };
}

/** Rows that have a column for each sum, folded to parts. */
function folded(
  parts: PartsAsked,
  { columns, seq, from }: { readonly columns: readonly string[]; readonly seq: string; readonly from: string },
  bindings: Bindings,
): string {
  const unit = unitOf(parts, bindings);
  const told = [...columns, ...(unit === null ? [] : [`${unit} AS t`])];
  return `SELECT ${told.map((column) => `${column}, `).join('')}${seq} AS seq, ${partOf(sumsOfColumns(parts.summed))} AS part
    ${from} GROUP BY ALL HAVING count() > 0${refusingMore(parts.most)}`;
}

/** Null for none. */
function unitOf({ time }: PartsAsked, bindings: Bindings): string | null {
  return time === 'none' ? null : time(bindings);
}
