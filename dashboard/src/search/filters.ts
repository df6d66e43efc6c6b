import { escapeKeyValue, escapeTag, joinTags, readableTag, splitTags } from './tag-list.ts';
import { tagKeyOf } from './group-by.ts';
import type { Search } from './search.ts';

/** Fields that a call may lack; the API finds those as `(untagged)`. */
const MAY_LACK = ['key.id', 'key.team', 'key.owner', 'route', 'operation', 'cause', 'region', 'service_tier'] as const;

const PLAIN_FIELDS = ['model', 'provider', 'key', 'status', 'cost_state', ...MAY_LACK, 'session_id'] as const;

type PlainField = (typeof PLAIN_FIELDS)[number];

/** One condition, in the three words its chip shows. */
export type Filter = {
  readonly field: string;
  readonly operator: 'contains' | 'is';
  readonly value: string;
  /** What the search becomes without it. */
  readonly without: Partial<Search>;
};

/** The value the API gives to what has no tag. */
const UNTAGGED = '(untagged)';

export function filtersOf(search: Search): readonly Filter[] {
  const parts = splitTags(search.tags);
  const tags = parts.map((part, at): Filter => ({
    field: 'request_tags',
    operator: 'contains',
    value: readableTag(part),
    without: { tags: joinTags(parts.toSpliced(at, 1)) },
  }));
  const plain = PLAIN_FIELDS.filter((field) => search[field] !== '').map((field): Filter => ({
    field,
    operator: 'is',
    value: search[field],
    without: SET[field](''),
  }));
  if (search.entity_type === '') return [...tags, ...plain];
  const entity: Filter = {
    field: search.entity_type,
    operator: 'is',
    value: search.entity_id,
    without: { entity_type: '', entity_id: '' },
  };
  return [...tags, entity, ...plain];
}

export const NO_FILTERS: Partial<Search> = {
  tags: '',
  model: '',
  provider: '',
  key: '',
  'key.id': '',
  'key.team': '',
  'key.owner': '',
  status: '',
  session_id: '',
  cost_state: '',
  route: '',
  operation: '',
  cause: '',
  region: '',
  service_tier: '',
  entity_type: '',
  entity_id: '',
};

/** Adds what was typed (`env:production, beta`) to the tags asked for; what is asked for already is not repeated. */
export function withTags(search: Search, typed: string): Partial<Search> {
  const parts = splitTags(search.tags);
  const added = splitTags(typed).filter((part) => !parts.includes(part));
  return { tags: joinTags([...parts, ...added]) };
}

/** Adds a filter as an answer of the API states it: parameters and their values, such as `{tags: "env:prod"}`. */
export function withFilter(search: Search, filter: Readonly<Record<string, string>>): Partial<Search> {
  const { tags, ...plain } = filter;
  return PLAIN_FIELDS.reduce(
    (patch, field) => ({ ...patch, ...(plain[field] === undefined ? {} : SET[field](plain[field])) }),
    tags === undefined ? {} : withTags(search, tags),
  );
}

/** A row of a breakdown, as far as filtering by it goes. */
export type GroupRow = {
  readonly value: string;
  readonly untagged: boolean;
  readonly other: boolean;
  /** What is at a node of a tree itself: no filter leaves out what is below it. */
  readonly is_direct?: boolean | undefined;
  readonly entity_type?: string | null | undefined;
  readonly entity_id?: string | null | undefined;
};

/** The search narrowed to one row of a breakdown; `undefined` where the API has no words for it. */
export function narrowTo(search: Search, row: GroupRow): Partial<Search> | undefined {
  if (row.other || row.is_direct === true) return undefined;
  const plain = PLAIN_FIELDS.find((field) => field === search.by);
  if (plain !== undefined) {
    if (row.untagged) return MAY_LACK.some((field) => field === plain) ? SET[plain](UNTAGGED) : undefined;
    return SET[plain](row.value);
  }
  const key = tagKeyOf(search.by);
  if (key !== undefined) return withTags(search, row.untagged ? `${key}:${UNTAGGED}` : escapeKeyValue(key, row.value));
  if (row.untagged) return undefined;
  if (search.by === 'entity') {
    if (typeof row.entity_type !== 'string' || typeof row.entity_id !== 'string') return undefined;
    return { entity_type: row.entity_type, entity_id: row.entity_id };
  }
  if (search.by === 'label' || search.by.startsWith('path')) return withTags(search, escapeTag(row.value));
  return undefined;
}

const SET: Readonly<Record<PlainField, (value: string) => Partial<Search>>> = {
  model: (model) => ({ model }),
  provider: (provider) => ({ provider }),
  key: (key) => ({ key }),
  'key.id': (id) => ({ 'key.id': id }),
  'key.team': (team) => ({ 'key.team': team }),
  'key.owner': (owner) => ({ 'key.owner': owner }),
  status: (status) => ({ status }),
  session_id: (id) => ({ session_id: id }),
  cost_state: (state) => ({ cost_state: state }),
  route: (route) => ({ route }),
  operation: (operation) => ({ operation }),
  cause: (cause) => ({ cause }),
  region: (region) => ({ region }),
  service_tier: (tier) => ({ service_tier: tier }),
};
