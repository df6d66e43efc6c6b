import { createHash } from 'node:crypto';
import { bind, quote } from '../bind.ts';
import { ENTRIES, ENTRY_COLUMNS, DERIVED_COLUMNS } from '../schema.ts';
import { SUM_SETTINGS, IN_RANGE, rangeParams, type SumRange } from './sum-range.ts';

/** Units of time that sums are kept by, the finest first. Each is made of whole ones of those before it. */
export const UNITS_MS = { quarter: 900_000, hour: 3_600_000, day: 86_400_000 } as const;

export type Unit = keyof typeof UNITS_MS;

/**
 * Entries that are alike in some columns, summed up by a unit of time: what a kind of report reads in the place of entries. A table of its own,
 * whose columns have the names they have in the entries, so that the same conditions find the same.
 */
export type CellSet = { readonly table: string; readonly per: Unit; readonly columns: readonly string[] };

const TABLE_PREFIX = 'cells_';

/**
 * The table is named for what is in it: the same is made once, whoever asks.
 *
 * @param columns those that are filtered by first: cells lie in this order, so that a filter finds what it is for close together
 */
export function cellSet(per: Unit, columns: Iterable<string>): CellSet {
  const different = [...new Set(columns)];
  const hash = createHash('sha256')
    .update([per, ...different.toSorted()].join(' '))
    .digest('hex');
  return { table: `${TABLE_PREFIX}${hash.slice(0, 16)}`, per, columns: different };
}

export function isCellTable(name: string): boolean {
  return name.startsWith(TABLE_PREFIX);
}

const ENTRY_TYPES: Readonly<Record<string, string>> = { ...ENTRY_COLUMNS, ...DERIVED_COLUMNS };

/** The time is in every set, by its unit. */
const TIME = 'quarter';

/**
 * The columns of entries that SQL is about, in the order in which it names them. Null where one is too much for a cell: it has other values in every entry, or is no text.
 *
 * @param sql with own columns in the place of tags that have one
 */
export function cellColumnsIn(sql: string): ReadonlySet<string> | null {
  const names = sql.replaceAll(/'(?:[^'\\]|\\.)*'|\{\w+:/g, ' ').match(/\b[A-Za-z_]\w*/g) ?? [];
  const mentioned = new Set(names.filter((name) => name !== TIME && isEntryColumn(name)));
  return [...mentioned].every((name) => typeOf(name).startsWith('LowCardinality')) ? mentioned : null;
}

function isEntryColumn(name: string): boolean {
  return isOwnColumn(name) || Object.hasOwn(ENTRY_TYPES, name);
}

function isOwnColumn(name: string): boolean {
  return /^own_tag_\d+$/.test(name);
}

function typeOf(name: string): string {
  if (isOwnColumn(name)) return 'LowCardinality(Nullable(String))';
  return /^LowCardinality\(String\)/.exec(ENTRY_TYPES[name] ?? '')?.[0] ?? '';
}

/** Wide enough for as many entries as there can be: what is narrow in one of them is not in their sum. */
const SUMMED = {
  last_seq: { type: 'UInt64', sql: 'max(seq)' },
  entry_count: { type: 'Int64', sql: 'toInt64(count())' },
  narrow_cost: { type: 'Int128', sql: 'sum(toInt128(narrow_cost))' },
  narrow_billed: { type: 'Int128', sql: 'sum(toInt128(narrow_billed))' },
  narrow_aside: { type: 'Int128', sql: 'sum(toInt128(narrow_aside))' },
  narrow_input: { type: 'Int64', sql: 'sum(narrow_input)' },
  narrow_output: { type: 'Int64', sql: 'sum(narrow_output)' },
  latency_ms: { type: 'Int64', sql: 'toInt64(sum(latency_ms))' },
} as const;

/** Nobody may read a value in a file that was put aside for longer than a second: it may have been erased. */
export function createCells({ table, per, columns }: CellSet): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
  run UInt64,
  ${TIME} DateTime('UTC'),
${columns.map((name) => `  ${name} ${typeOf(name)},`).join('\n')}
  traits UInt16,
${Object.entries(SUMMED)
  .map(([name, { type }]) => `  ${name} ${type}`)
  .join(',\n')}
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(${TIME})
ORDER BY (${[...columns, TIME].join(', ')})
SETTINGS allow_nullable_key = 1, fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 1
COMMENT ${quote(per)}`;
}

/** Gone from disk when this is done. */
export function dropCells(table: string): string {
  return `DROP TABLE IF EXISTS ${table} SYNC`;
}

const UNIT_STARTS: Readonly<Record<Unit, string>> = {
  quarter: TIME,
  hour: `toStartOfHour(${TIME}, 'UTC')`,
  day: `toStartOfDay(${TIME}, 'UTC')`,
};

export function cellStatement(run: number, range: SumRange, { table, per, columns }: CellSet): string {
  const told = [...columns, 'traits'].join(', ');
  const summed = Object.entries(SUMMED);
  return bind(
    `INSERT INTO ${table} (run, ${TIME}, ${told}, ${summed.map(([name]) => name).join(', ')}) SETTINGS ${SUM_SETTINGS}
     SELECT ${run}, ${UNIT_STARTS[per]} AS c_time, ${told}, ${summed.map(([name, { sql }]) => `${sql} AS c_${name}`).join(', ')}
     FROM ${ENTRIES} WHERE ${IN_RANGE} GROUP BY c_time, ${told}`,
    rangeParams(range),
  );
}

/** What there is of each run in a table of cells, in the words of `totalStatement`. */
export function cellTotals(table: string, where: string): string {
  return `SELECT run, toString(count()) AS rows, toString(sum(entry_count)) AS entries, toString(sum(narrow_cost)) AS narrowCost
    FROM ${table} WHERE ${where} GROUP BY run`;
}

/** The sets that a store has, by its system tables. */
export async function readCellSets(read: <T>(sql: string) => Promise<T[]>): Promise<readonly CellSet[]> {
  return await read<CellSet>(
    `SELECT t.name AS table, t.comment AS per, groupArrayIf(c.name, startsWith(c.type, 'LowCardinality')) AS columns
     FROM system.tables AS t JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
     WHERE t.database = currentDatabase() AND startsWith(t.name, '${TABLE_PREFIX}') GROUP BY table, per`,
  );
}
