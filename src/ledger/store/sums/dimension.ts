import { COST_STATES, ENTITY_TYPES, type CostState } from '#terms';
import { quote } from '../bind.ts';
import { tagColumn } from '../tag-column.ts';
import { isListed, LISTED_NAMES, listOf, provenanceOf, type ListedName } from './listed.ts';

/** What entries are summed up by: an expression over the entries, whose value is `null` for what has none. */
export type ValueDimension = {
  readonly name: string;
  readonly value: string;
  /** What else of the entries has to be known beside the value. */
  readonly detail: string;
  /** The unit of time that is kept. */
  readonly per: 'quarter' | 'hour';
  /** Sums are given up where there are nearly as many of them as entries. */
  readonly bounded: boolean;
  /** The columns that value and detail are made of, if entries are put together by those first. */
  readonly fold: Fold | null;
};

/**
 * Columns of which few combinations stand in many entries. What is made of them is summed up in one statement, of the combinations: entries
 * are read once for all of it.
 */
export type Fold = { readonly by: readonly string[] };

/** What entries have any number of: summed up by the day, and only what a list of values shows of them. */
export type ListDimension = {
  readonly name: ListedName;
  readonly per: 'day';
  readonly bounded: true;
};

export type Dimension = ValueDimension | ListDimension;

const BY_KEY: Fold = { by: ['key_id', 'key_name', 'key_team', 'key_owner'] };
const BY_MODEL: Fold = { by: ['model', 'provider', 'request_model'] };
const BY_KIND: Fold = {
  by: [
    'status',
    'route',
    'operation',
    'cause',
    'region',
    'service_tier',
    'kind',
    'cost_state',
    "if(session_id = '', NULL, '1') AS in_session",
  ],
};

const SETTLED: readonly CostState[] = ['exact', 'reported'];

/** States that corrections put an end to: of attempts in one of them each is known by itself. */
export const UNSETTLED: readonly CostState[] = COST_STATES.filter((state) => !SETTLED.includes(state));

/** Of an entry: it is such an attempt. */
export const IS_UNSETTLED = `kind = 'attempt' AND cost_state IN (${UNSETTLED.map(quote).join(', ')})`;

/** Dimensions that every store sums up. */
const FIXED: readonly Dimension[] = [
  folded('key', { fold: BY_KEY, column: 'key_id', detail: 'toString(key_name)' }),
  folded('key_team', { fold: BY_KEY }),
  folded('key_owner', { fold: BY_KEY }),
  folded('model', { fold: BY_MODEL, detail: 'toString(provider)' }),
  folded('provider', { fold: BY_MODEL }),
  folded('request_model', { fold: BY_MODEL }),
  ...(['status', 'route', 'operation', 'cause', 'region', 'service_tier', 'kind', 'cost_state'] as const).map(
    (column) => folded(column, { fold: BY_KIND }),
  ),
  { ...plain('all', 'NULL'), fold: BY_KIND },
  { ...plain('in_session', 'in_session'), fold: BY_KIND },
  {
    ...plain('entity', "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))", 'toString(entity_type)'),
    bounded: true,
  },
  { ...plain('label_set', 'toString(label_set)'), bounded: true },
  { ...plain('session', "nullIf(session_id, '')"), per: 'hour', bounded: true },
  {
    ...plain('unsettled', `if(${IS_UNSETTLED}, entry_id, NULL)`, `if(${IS_UNSETTLED}, toString(cost_state), '')`),
    bounded: true,
  },
  ...LISTED_NAMES.map(listed),
];

/** Each entry is in one row of a dimension, so that the rows add up to the total. */
function plain(name: string, value: string, detail = "''"): ValueDimension {
  return { name, value, detail, per: 'quarter', bounded: false, fold: null };
}

/** By a column that is a text, empty where there is nothing. */
function folded(
  name: string,
  { fold, column = name, detail }: { readonly fold: Fold; readonly column?: string; readonly detail?: string },
): ValueDimension {
  return { ...plain(name, `nullIf(toString(${column}), '')`, detail), fold };
}

function listed(name: ListedName): ListDimension {
  return { name, per: 'day', bounded: true };
}

/** The unit of time that sums by a dimension are of. */
export function unitOf(name: string): Dimension['per'] {
  if (isListed(name)) return 'day';
  return FIXED.find((one) => one.name === name)?.per ?? 'quarter';
}

/** True of what has so many values that its sums by the quarter may be nearly as many as entries. */
export function hasManyValues(name: string): boolean {
  return FIXED.find((one) => one.name === name)?.bounded ?? true;
}

/** The name of a tag's dimension. */
export function tagDimension(key: string): string {
  return `tags.${key}`;
}

/** @param keys the tags that are summed up, beside those of entities */
export function dimensionsFor(keys: readonly string[]): readonly Dimension[] {
  const tags = new Set<string>([...ENTITY_TYPES, ...keys]);
  return [
    ...FIXED,
    ...Array.from(tags, (key) => ({ ...plain(tagDimension(key), tagColumn(key)), bounded: true })),
    ...keys.map((key) => listed(provenanceOf(key))),
  ];
}

/** Dimensions that one statement sums up. */
export function statementsOf(dimensions: readonly Dimension[]): readonly (readonly Dimension[])[] {
  const together = Map.groupBy(dimensions, (dimension) => {
    if (dimension.per === 'day') return listOf(dimension.name).fold;
    return dimension.fold ?? dimension;
  });
  return [...together.values()];
}
