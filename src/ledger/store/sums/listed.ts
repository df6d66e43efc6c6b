import { quote, quoteName } from '../bind.ts';
import { ENTRIES, LABELS_OF_SET, PATHS_OF_SET } from '../schema.ts';
import { tagColumn } from '../tag-column.ts';

/** A list of values that entries have, as SQL: columns that few different lists stand in, and what is made of those. */
export type Listed = {
  /** Entries with the same of these are put together first: their lists are then looked at once. */
  readonly by: readonly string[];
  /** The values, as an array. */
  readonly values: string;
  /** What else of the entries is told apart. */
  readonly detail: string;
  /** Lists of one name are of the same entries put together, and have the same detail. */
  readonly fold: string;
};

const SENDER_COLUMNS = ['key_id', 'key_name', 'key_owner'] as const;

/** Who sent it, as one text: see `SENDER`. */
const SENDER_TEXT = `toJSONString([${SENDER_COLUMNS.map((column) => `toString(${column})`).join(', ')}])`;

/** An entry that carries no key, no label and no path. */
export const IS_UNTAGGED = "(tag_keys = '' AND label_set = '[[],[]]')";

function sentBy(column: string, values: string): Listed {
  return { by: [column, ...SENDER_COLUMNS], values, detail: SENDER_TEXT, fold: 'sender' };
}

export const LISTED = {
  /** Paths of keys, see `tagKeyOfPath`. */
  tag_key: sentBy('tag_keys', "splitByChar(' ', toString(tag_keys))"),
  label: sentBy('label_set', LABELS_OF_SET),
  path: sentBy('label_set', PATHS_OF_SET),
  root: sentBy('label_set', `arrayMap(p -> splitByChar('/', p)[1], ${PATHS_OF_SET})`),
  untagged: {
    by: ['tag_keys', 'label_set', ...SENDER_COLUMNS],
    values: `if(${IS_UNTAGGED}, ['1'], [])`,
    detail: SENDER_TEXT,
    fold: 'sender',
  },
  tag_sent: { by: ['tags_sent'], values: 'tags_sent', detail: "''", fold: 'sent' },
} as const satisfies Readonly<Record<string, Listed>>;

/** The name of the dimension of how the values of a tag came to be there. */
export function provenanceOf(key: string): ListedName {
  return `${PROVENANCE}${key}`;
}

const PROVENANCE = 'provenance.';

export type ListedName = keyof typeof LISTED | `${typeof PROVENANCE}${string}`;

export const LISTED_NAMES = Object.keys(LISTED).filter(isListed);

export function isListed(dimension: string): dimension is ListedName {
  return isFixed(dimension) || dimension.startsWith(PROVENANCE);
}

function isFixed(name: string): name is keyof typeof LISTED {
  return Object.hasOwn(LISTED, name);
}

export function listOf(name: ListedName): Listed {
  if (isFixed(name)) return LISTED[name];
  const key = name.slice(PROVENANCE.length);
  const [has, provenance] = [quoteName(`has ${key}`), quoteName(`provenance ${key}`)];
  return {
    by: [`isNotNull(${tagColumn(key)}) AS ${has}`, `${tagColumn(key, 'tag_provenance')} AS ${provenance}`],
    values: `if(${has}, [ifNull(${provenance}, 'unknown')], [])`,
    detail: "''",
    fold: 'provenance',
  };
}

/** Id, name and owner of the key in the detail of what is told apart by who sent it. */
export const SENDER = {
  id: sender(1),
  name: sender(2),
  owner: sender(3),
} as const;

function sender(at: number): string {
  return `JSONExtract(detail, 'Array(String)')[${at}]`;
}

const LISTED_COUNTS = ['counts_call', 'unpriced_count'] as const;

/** What is summed up of values that are listed, beside the number of entries. */
export const LISTED_SUMMED = ['cost', ...LISTED_COUNTS] as const;

// Of one type with the sums they are put beside.
const PUT_TOGETHER = [
  'sum(cost) AS f_cost',
  ...['entry_count', ...LISTED_COUNTS].map((column) => `toInt64(sum(${column})) AS f_${column}`),
].join(', ');

/**
 * Rows with `dimension`, `value`, `detail`, `seq`, `first_at`, `last_at` and what is summed up, each value of a list once, and null for an entry
 * that has none. `entry_count` counts an entry at the first of its values only, so that each dimension has as many as there are entries.
 *
 * @param names of one fold
 * @param where of the entries
 * @param time a unit of time to tell apart, as `time`
 */
export function listedRows(names: readonly [ListedName, ...ListedName[]], where: string, time?: string): string {
  const lists = names.map((name) => ({ name, ...listOf(name) }));
  const unit =
    time === undefined ? { inner: '', outer: '' } : { inner: `${time} AS f_time, `, outer: 'f_time AS time, ' };
  const items = lists.map(({ name, values }, at) => {
    const found = `CAST(arrayDistinct(arrayFilter(v -> v != '', ${values})), '${LIST}')`;
    const list = `if(empty(${found}), CAST([NULL], '${LIST}'), ${found}) AS list_${at}`;
    return `arrayMap((v, n) -> (${quote(name)}, v, n), ${list}, arrayEnumerate(list_${at}))`;
  });
  return `SELECT ${unit.outer}item.1 AS dimension, item.2 AS value, ${listOf(names[0]).detail} AS detail, f_seq AS seq,
      f_first AS first_at, f_last AS last_at, if(item.3 = 1, f_entry_count, 0) AS entry_count,
      ${LISTED_SUMMED.map((column) => `f_${column} AS ${column}`).join(', ')}
    FROM (SELECT ${unit.inner}${[...new Set(lists.flatMap(({ by }) => by))].join(', ')}, max(seq) AS f_seq,
        min(effective_at) AS f_first, max(effective_at) AS f_last, ${PUT_TOGETHER}
      FROM ${ENTRIES} WHERE ${where} GROUP BY ALL)
    ARRAY JOIN ${items.length === 1 ? items.join('') : `arrayConcat(${items.join(', ')})`} AS item`;
}

const LIST = 'Array(Nullable(String))';
