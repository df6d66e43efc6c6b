import { tagColumn } from '../tag-column.ts';

/** What entries are summed up by: an expression over the entries, whose value is `null` for what has none. */
export type Dimension = {
  readonly name: string;
  readonly value: string;
  /** What else of the entries has to be known beside the value. */
  readonly detail: string;
  /** The unit of time that is kept. */
  readonly per: 'quarter' | 'hour';
  /** Sums are given up where there are nearly as many of them as entries. */
  readonly bounded: boolean;
};

const COLUMNS = [
  'provider',
  'status',
  'route',
  'operation',
  'cause',
  'region',
  'service_tier',
  'kind',
  'key_team',
  'key_owner',
  'request_model',
] as const;

/** Dimensions that every store sums up. */
const FIXED: readonly Dimension[] = [
  plain('all', 'NULL'),
  plain('model', "nullIf(toString(model), '')", 'toString(provider)'),
  plain('key', "nullIf(toString(key_id), '')", 'toString(key_name)'),
  ...COLUMNS.map((column) => plain(column, `nullIf(toString(${column}), '')`)),
  {
    ...plain('entity', "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))", 'toString(entity_type)'),
    bounded: true,
  },
  { ...plain('label_set', 'toString(label_set)'), bounded: true },
  { ...plain('session', "nullIf(session_id, '')"), per: 'hour', bounded: true },
];

/** Each entry is in one row of a dimension, so that the rows add up to the total. */
function plain(name: string, value: string, detail = "''"): Dimension {
  return { name, value, detail, per: 'quarter', bounded: false };
}

/** The unit of time that sums by a dimension are of. */
export function unitOf(name: string): Dimension['per'] {
  return FIXED.find((one) => one.name === name)?.per ?? 'quarter';
}

/** The name of a tag's dimension. */
export function tagDimension(key: string): string {
  return `tags.${key}`;
}

/** @param keys the tags that are summed up */
export function dimensionsFor(keys: readonly string[]): readonly Dimension[] {
  return [...FIXED, ...keys.map((key) => ({ ...plain(tagDimension(key), tagColumn(key)), bounded: true }))];
}
