import {
  hasManyValues,
  partOf,
  partRowsOf,
  refusingMore,
  SUMS,
  type PartRowsAsked,
  type SummedName,
  type Unit,
} from '#ledger/store';
import { invariant } from '#std';
import type { Bindings } from './bindings.ts';
import { usableCells } from './cells.ts';
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
  type SumsUse,
} from './summed.ts';

/**
 * What a statement tells apart of time: an expression of `quarter`, which is the same all over one unit of time, or nothing of it.
 */
export type TimeTold = { readonly sql: (bindings: Bindings) => string; readonly within: Unit } | 'none';

/** What to sum up of a source, and what of the time to tell apart. */
export type PartsAsked = {
  readonly source: Source;
  readonly time: TimeTold;
  readonly summed: readonly SummedName[];
  /** More rows than these are refused. */
  readonly most?: number;
};

/** Sums of few values are as quick to read as cells, and always there; those of many are read sooner than many cells. */
const CELLS_BEFORE_SUMS = 400_000;

/**
 * `FROM …` with the source's columns, `t` (the time, if it is told apart), `seq` (of the newest) and `part`: the sums in the order of `summed`, see
 * `partOf`. They are summed up where they are read: out of cells, of sums by a dimension, and of the entries that are in neither.
 */
export function fromParts(asked: Asked, parts: PartsAsked): From {
  const { source, time } = parts;
  invariant(source.listed === undefined, `${source.dimension} has one value an entry`);
  const sums = usableSums(asked, source);
  const columns = (bindings: Bindings): readonly SourceColumn[] => byNow(asked, source, bindings);
  const told = { columns, within: time === 'none' ? 'day' : time.within } as const;
  const most = sums === null ? Infinity : hasManyValues(sums.dimension) ? CELLS_BEFORE_SUMS : 0;
  const cells = most === 0 ? null : usableCells(asked, told, most);
  if (sums !== null && cells === null) return fromSums(asked, parts, sums);
  const sql = (bindings: Bindings): string => {
    const rows = rowsOf(asked, parts, bindings);
    return `FROM (${partRowsOf({ ...rows, columns: asEntriesHave(columns(bindings)), cells: cells?.rows(bindings) })})`;
  };
  return { sql, stands: () => cells?.stands() ?? true };
}

function fromSums(asked: Asked, parts: PartsAsked, use: SumsUse): From {
  const { columns, corrected } = parts.source;
  if (corrected !== undefined) {
    const from = fromSource(asked, parts.source);
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
    const rows = rowsOf(asked, parts, bindings);
    const rest = partRowsOf({ ...rows, where: `${rows.where} AND ${use.rest(bindings)}` });
    return `FROM (${folded(parts, { ...told, from }, bindings)} UNION ALL ${rest})`;
  };
  return { sql, stands: use.summed.stands };
}

/** All entries that a report is about. */
function rowsOf(asked: Asked, parts: PartsAsked, bindings: Bindings): PartRowsAsked {
  return {
    columns: asEntriesHave(parts.source.columns),
    time: timeSql(parts, bindings),
    summed: parts.summed,
    order: orderColumn(asked.asOf),
    most: parts.most,
    wide: asked.store.wide?.met === false ? 'none' : 'some',
    where: entriesAsked(asked, bindings),
  };
}

function asEntriesHave(columns: readonly SourceColumn[]): PartRowsAsked['columns'] {
  return columns.map(({ as, entry }) => ({ as, sql: entry }));
}

/** Rows that have a column for each sum, folded to parts. */
function folded(
  parts: PartsAsked,
  { columns, seq, from }: { readonly columns: readonly string[]; readonly seq: string; readonly from: string },
  bindings: Bindings,
): string {
  const time = timeSql(parts, bindings);
  const told = [...columns, ...(time === null ? [] : [`${time} AS t`])];
  return `SELECT ${told.map((column) => `${column}, `).join('')}${seq} AS seq, ${partOf(sumsOfColumns(parts.summed))} AS part
    ${from} GROUP BY ALL HAVING count() > 0${refusingMore(parts.most)}`;
}

/** Null for none. */
function timeSql({ time }: PartsAsked, bindings: Bindings): string | null {
  return time === 'none' ? null : time.sql(bindings);
}
