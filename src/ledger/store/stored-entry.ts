import { invariant } from '#std';
import { parseEntry, type EntryRecord } from '../entry-record.ts';
import { ENTRY_COLUMNS } from './schema.ts';
import { tagKeyOfPath } from './tag-column.ts';

/** Where a row came from, which is no part of its entry. */
const ORIGIN: ReadonlySet<string> = new Set(['node_id', 'seq']);

const KINDS = ['money', 'instant', 'tags', 'object', 'charges', 'conflicts', 'plain'] as const;

type Kind = (typeof KINDS)[number];

function kindOf(name: string, type: string): Kind {
  if (name === 'charges') return 'charges';
  if (name === 'tag_conflicts') return 'conflicts';
  if (type.includes('Int128')) return 'money';
  if (type.startsWith('DateTime')) return 'instant';
  if (type.startsWith('JSON')) return 'tags';
  return type.startsWith('Map') ? 'object' : 'plain';
}

const COLUMNS = Object.entries<string>(ENTRY_COLUMNS)
  .filter(([name]) => !ORIGIN.has(name))
  .map(([name, type]) => ({ name, kind: kindOf(name, type) }));

// Aliases differ from the columns' names: ClickHouse would otherwise read them in the conditions of the same statement.
const SELECTED: Readonly<Record<Kind, (name: string) => string>> = {
  // As text: a JSON number would lose digits.
  money: (name) => `toString(${name}) AS e_${name}`,
  instant: (name) => `toUnixTimestamp64Milli(${name}) AS e_${name}`,
  tags: (name) => `toJSONString(${name}) AS e_${name}`,
  object: (name) => `toJSONString(${name}) AS e_${name}`,
  charges: () =>
    `charges.meter AS c_meter, charges.quantity AS c_quantity, charges.unit_amount AS c_unit_amount,
     arrayMap(n -> toString(n), charges.unit_per) AS c_unit_per, arrayMap(n -> toString(n), charges.amount) AS c_amount,
     charges.price_row AS c_price_row`,
  conflicts: () => `tag_conflicts.key AS t_key, tag_conflicts.value AS t_value, tag_conflicts.source AS t_source`,
  plain: (name) => `${name} AS e_${name}`,
};

/** What to select of an entry for `fromRowEntry`. */
export const STORED_ENTRY_COLUMNS = COLUMNS.map(({ name, kind }) => SELECTED[kind](name)).join(', ');

type Row = Readonly<Record<string, unknown>>;

const READ: Readonly<Record<Kind, (row: Row, name: string) => unknown>> = {
  money: plain,
  plain,
  instant: (row, name) => new Date(Number(plain(row, name))).toISOString(),
  tags: (row, name) =>
    Object.fromEntries(Object.entries(objectOf(plain(row, name))).map(([path, value]) => [tagKeyOfPath(path), value])),
  object: (row, name) => objectOf(plain(row, name)),
  charges: (row) =>
    zip(row, ['c_meter', 'c_quantity', 'c_unit_amount', 'c_unit_per', 'c_amount', 'c_price_row'], (items) => {
      const [meter, quantity, unit_amount, per, amount, price_row] = items;
      return { meter, quantity, unit_amount, unit_per: Number(per), amount, price_row };
    }),
  conflicts: (row) => zip(row, ['t_key', 't_value', 't_source'], ([key, value, source]) => ({ key, value, source })),
};

/** The entry as the journal has it, from a row of `STORED_ENTRY_COLUMNS`. */
export function fromRowEntry(row: Row): EntryRecord {
  return parseEntry(Object.fromEntries(COLUMNS.map(({ name, kind }) => [name, READ[kind](row, name)])));
}

function plain(row: Row, name: string): unknown {
  const value = row[`e_${name}`];
  invariant(value !== undefined, `column ${name} is selected`);
  return value;
}

function objectOf(json: unknown): object {
  invariant(typeof json === 'string', 'the column is JSON text');
  const value: unknown = JSON.parse(json);
  invariant(typeof value === 'object' && value !== null, 'the column is a JSON object');
  return value;
}

/** The columns of a nested list, put together again. */
function zip<T>(row: Row, columns: readonly string[], item: (items: readonly unknown[]) => T): readonly T[] {
  const lists = columns.map((column) => {
    const list: unknown = row[column];
    invariant(Array.isArray(list), `column ${column} is a list`);
    return list;
  });
  return (lists[0] ?? []).map((_, at) => item(lists.map((list) => list[at])));
}
