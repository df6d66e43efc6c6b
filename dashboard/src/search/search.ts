import { isDay, isZone } from '../time/zone.ts';
import { RANGES, type Range } from '../time/period.ts';

export const SORTS = ['cost', 'value', 'requests', 'tokens', 'latency'] as const;

export type Sort = (typeof SORTS)[number];

/** What a list of sessions or of values can be ordered by, in the API's words; not every list knows every one. */
export const RANKS = ['cost', 'turns', 'recent', 'duration', 'calls', 'value'] as const;

export type Rank = (typeof RANKS)[number];

/** Everything a page shows is decided by its address. An empty text means the filter is not set. */
export type Search = {
  readonly range: Range;
  readonly from: string;
  readonly to: string;
  readonly tz: string;
  /** What spend is broken down by: the API's `group_by`. */
  readonly by: string;
  readonly tags: string;
  readonly model: string;
  readonly provider: string;
  readonly key: string;
  readonly status: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly session_id: string;
  readonly cost_state: string;
  readonly route: string;
  readonly operation: string;
  readonly cause: string;
  readonly region: string;
  readonly service_tier: string;
  /** What the key proves, whatever the caller declared. */
  readonly 'key.id': string;
  readonly 'key.team': string;
  readonly 'key.owner': string;
  readonly sort: Sort;
  readonly order: 'asc' | 'desc';
  readonly rank: Rank;
  readonly page: number;
  /** The call whose drawer is open. */
  readonly call: string;
};

export const DEFAULT_SEARCH: Search = {
  range: '7d',
  from: '',
  to: '',
  tz: 'UTC',
  by: 'model',
  tags: '',
  model: '',
  provider: '',
  key: '',
  status: '',
  entity_type: '',
  entity_id: '',
  session_id: '',
  cost_state: '',
  route: '',
  operation: '',
  cause: '',
  region: '',
  service_tier: '',
  'key.id': '',
  'key.team': '',
  'key.owner': '',
  sort: 'cost',
  order: 'desc',
  rank: 'cost',
  page: 1,
  call: '',
};

/** Reads an address. What is not valid falls back to its default: an old link still opens. */
export function parseSearch(raw: Readonly<Record<string, unknown>>): Search {
  const text = (name: string): string => {
    const value = raw[name];
    return typeof value === 'string' ? value : '';
  };
  const from = isDay(text('from')) ? text('from') : '';
  const to = isDay(text('to')) ? text('to') : '';
  const range = oneOf(RANGES, text('range'), DEFAULT_SEARCH.range);
  const custom = range === 'custom' && from !== '' && to !== '';
  const entity = text('entity_type') !== '' && text('entity_id') !== '';
  return {
    range: range === 'custom' && !custom ? DEFAULT_SEARCH.range : range,
    from: custom ? from : '',
    to: custom ? to : '',
    tz: isZone(text('tz')) ? text('tz') : DEFAULT_SEARCH.tz,
    by: text('by') === '' ? DEFAULT_SEARCH.by : text('by'),
    tags: text('tags'),
    model: text('model'),
    provider: text('provider'),
    key: text('key'),
    status: text('status'),
    entity_type: entity ? text('entity_type') : '',
    entity_id: entity ? text('entity_id') : '',
    session_id: text('session_id'),
    cost_state: text('cost_state'),
    route: text('route'),
    operation: text('operation'),
    cause: text('cause'),
    region: text('region'),
    service_tier: text('service_tier'),
    'key.id': text('key.id'),
    'key.team': text('key.team'),
    'key.owner': text('key.owner'),
    sort: oneOf(SORTS, text('sort'), DEFAULT_SEARCH.sort),
    order: oneOf(['asc', 'desc'], text('order'), DEFAULT_SEARCH.order),
    rank: oneOf(RANKS, text('rank'), DEFAULT_SEARCH.rank),
    page: pageNumber(raw['page']),
    call: text('call'),
  };
}

/** An address as people can read it: only what differs from the default, with what needs no code left as it is. */
export function writeSearch(search: Readonly<Record<string, unknown>>): string {
  const defaults: Readonly<Record<string, unknown>> = DEFAULT_SEARCH;
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === '' || value === defaults[name]) continue;
    if (typeof value === 'string' || typeof value === 'number') params.set(name, String(value));
  }
  const text = params.toString().replace(/%(?:3A|2F|2C|28|29)/g, decodeURIComponent);
  return text === '' ? '' : `?${text}`;
}

export function readAddress(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

function pageNumber(value: unknown): number {
  const page = Number(value);
  return Number.isSafeInteger(page) && page >= 1 ? page : DEFAULT_SEARCH.page;
}

function oneOf<const T extends string>(allowed: readonly T[], text: string, fallback: T): T {
  return allowed.find((each) => each === text) ?? fallback;
}
