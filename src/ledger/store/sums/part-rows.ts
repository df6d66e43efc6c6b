import { CELL_SUMS, FROM_NARROW, NARROW_SUMS, NARROW_TERMS, WIDE } from '../narrow-columns.ts';
import { ENTRIES } from '../schema.ts';
import { MET_WIDE } from '../rejection.ts';
import type { SummedName } from './schema.ts';

export type PartRowsAsked = {
  /** Columns to tell apart, as `expression AS name`. */
  readonly columns: readonly { readonly as: string; readonly sql: string }[];
  /** What of the time is told apart, as column `t`: an expression of `quarter`. Null for nothing, and no such column. */
  readonly time: string | null;
  /** What is summed up. */
  readonly summed: readonly SummedName[];
  /** The column that tells which of two entries is newer. */
  readonly order: 'seq' | 'narrow_seq';
  /** More rows than these are refused (`saysTooManyGroups`), before they take the memory that so many sums need. */
  readonly most?: number | undefined;
  /** `none`: there are no `WIDE` entries as far as is known. Where there is one, the statement fails: see `saysWide`. */
  readonly wide: 'some' | 'none';
  /** Which entries. */
  readonly where: string;
  /** Where most of them are summed up already: the cells, which of them, and what is true of the entries that are in none. */
  readonly cells?: { readonly table: string; readonly where: string; readonly rest: string } | undefined;
};

/**
 * Entries summed up while they are read, as a SELECT of the columns, `t`, `seq` (the newest) and `part`: the sums in the order of `summed`. There is
 * a row for each value and time, and one for each entry that is `WIDE`.
 */
export function partRowsOf(asked: PartRowsAsked): string {
  return asked.wide === 'none' ? narrowRows(asked) : `${narrowRows(asked)} UNION ALL ${wideRows(asked)}`;
}

function narrowRows(asked: PartRowsAsked): string {
  const told = toldApart(asked);
  const names = told.map(({ as }) => as);
  const sums = partOf(asked.summed.map((name) => FROM_NARROW[name]));
  // Asked of sums: a condition on entries would be asked of each.
  const having = [
    'count() > 0',
    ...(asked.wide === 'none' ? [`NOT throwIf(max(n_traits) = ${WIDE}, '${MET_WIDE}')`] : []),
  ];
  return `SELECT ${names.map((name) => `${name}, `).join('')}max(n_seq) AS seq, sumForEach(${sums}) AS part
    FROM (SELECT *, ${NARROW_TERMS} FROM (${narrowSumsOf(asked, told)}))
    ${names.length === 0 ? '' : `GROUP BY ${names.join(', ')} `}HAVING ${having.join(' AND ')}${refusingMore(asked.most)}`;
}

/** What is wide counts as nothing in cells as well, and is read from entries by `wideRows`. */
function narrowSumsOf({ order, where, cells }: PartRowsAsked, told: readonly ColumnAsked[]): string {
  const columns = columnsOf(told);
  const ofEntries = `SELECT ${columns}toUInt64(max(${order})) AS n_seq, ${NARROW_SUMS} FROM ${ENTRIES} WHERE ${where}`;
  if (cells === undefined) return `${ofEntries} GROUP BY ALL`;
  return `${ofEntries} AND ${cells.rest} GROUP BY ALL
    UNION ALL SELECT ${columns}toUInt64(max(last_seq)) AS n_seq, ${CELL_SUMS} FROM ${cells.table} WHERE ${cells.where} GROUP BY ALL`;
}

function wideRows(asked: PartRowsAsked): string {
  const sums = partOf(asked.summed.map((name) => (name === 'cost' ? 'coalesce(cost, 0)' : name)));
  return `SELECT ${columnsOf(toldApart(asked))}seq, ${sums} AS part FROM ${ENTRIES} WHERE ${asked.where} AND traits = ${WIDE}`;
}

type ColumnAsked = PartRowsAsked['columns'][number];

function toldApart({ columns, time }: PartRowsAsked): readonly ColumnAsked[] {
  return time === null ? columns : [...columns, { as: 't', sql: time }];
}

function columnsOf(columns: readonly ColumnAsked[]): string {
  return columns.map(({ as, sql }) => `${sql} AS ${as}, `).join('');
}

/** Sums as one array, which passes through the layers of a statement for as little as one column takes: the engine reads each of twenty in each. */
export function partOf(sums: readonly string[]): string {
  return `CAST([${sums.join(', ')}], 'Array(Int128)')`;
}

/** Settings of a statement that groups. */
export function refusingMore(most: number | undefined): string {
  return most === undefined ? '' : ` SETTINGS max_rows_to_group_by = ${most}, group_by_overflow_mode = 'throw'`;
}
