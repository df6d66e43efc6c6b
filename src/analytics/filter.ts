import { ENTRIES, isTagKey, tagColumn, tagDimension, type AsOf } from '#ledger/store';
import { parseTagFilter, UNTAGGED, type TagFilter } from '#tags';
import { COST_STATES, ENTITY_TYPES, PROVENANCES, type CostState, type Provenance } from '#terms';
import type { TimestampMs } from '#std';
import type { Bindings } from './bindings.ts';
import { BUILT_INS, stateColumn, type BuiltIn } from './built-in.ts';
import { invalidQuery, nearest, type Parameters } from './parameters.ts';
import { parseOptionalPeriod, parsePeriod, PERIOD_PARAMETERS, withinPeriod, type Period } from './period.ts';
import { provenanceConditions, tagCondition } from './tag-condition.ts';

/** The states an attempt can end in, `interrupted` being what recovery finds after a crash. */
const STATUSES = [
  'ok',
  'client_closed',
  'upstream_error',
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_broken',
  'interrupted',
] as const;

const KINDS = ['attempt', 'correction', 'adjustment'] as const;

/** What the key proves, whatever the caller declares: parameter and breakdown → column. */
export const PROVEN = { 'key.id': 'key_id', 'key.team': 'key_team', 'key.owner': 'key_owner' } as const;

export type ProvenName = keyof typeof PROVEN;

export const PROVEN_NAMES = ['key.id', 'key.team', 'key.owner'] as const satisfies readonly ProvenName[];

/** Which entries a report is about. Everything given must hold. */
export type EntryFilter = {
  readonly period: Period;
  /** Entries that carry the dimension of this name, however it was set. */
  readonly entityType?: string | undefined;
  readonly entityId?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly status?: string | undefined;
  readonly key?: string | undefined;
  /** Any of these keys. */
  readonly keyIds?: readonly string[] | undefined;
  readonly sessionId?: string | undefined;
  /** The state its cost is in by now: corrections count. */
  readonly costState?: CostState | undefined;
  /** An empty text for entries that have none of the kind. */
  readonly builtIn: ReadonlyMap<BuiltIn, string>;
  /** What the key proves; an empty text for keys that prove nothing of the kind. */
  readonly proven: ReadonlyMap<ProvenName, string>;
  readonly tags: readonly TagFilter[];
  /** Where these dimensions must have come from: those that are filtered and grouped by. */
  readonly provenance?: { readonly is: Provenance; readonly keys: readonly string[] } | undefined;
};

/** Every entry of a period. */
export function everythingIn(period: Period): EntryFilter {
  return { period, builtIn: new Map(), proven: new Map(), tags: [] };
}

export const FILTER_PARAMETERS = [
  ...PERIOD_PARAMETERS,
  'entity_type',
  'entity_id',
  'model',
  'provider',
  'status',
  'key',
  'session_id',
  'tags',
  'provenance',
  'cost_state',
  ...BUILT_INS,
  ...PROVEN_NAMES,
] as const;

/** `groupedKey`: the tag the report is broken down by, which `provenance` then is about too. */
export function parseFilter(parameters: Parameters, now: TimestampMs, groupedKey?: string): EntryFilter {
  return filterOver(parsePeriod(parameters, now), parameters, groupedKey);
}

/** For lists: without dates, everything up to now. */
export function parseListFilter(parameters: Parameters, now: TimestampMs): EntryFilter {
  return filterOver(parseOptionalPeriod(parameters, now), parameters);
}

function filterOver(period: Period, parameters: Parameters, groupedKey?: string): EntryFilter {
  const tagsText = parameters.text('tags');
  const tags = tagsText === undefined ? [] : parseTagFilter(tagsText);
  const entityType = parseEntityType(parameters, 'entity_type');
  const keys = [groupedKey, entityType, ...tags.map((tag) => (tag.kind === 'dimension' ? tag.key : undefined))];
  return {
    period,
    entityType,
    entityId: parameters.text('entity_id'),
    model: parameters.text('model'),
    provider: parameters.text('provider'),
    status: parameters.oneOf('status', STATUSES),
    key: parameters.text('key'),
    sessionId: parameters.text('session_id'),
    costState: parameters.oneOf('cost_state', COST_STATES),
    builtIn: parseExact(parameters, BUILT_INS),
    proven: parseExact(parameters, PROVEN_NAMES),
    tags,
    provenance: parseProvenance(
      parameters,
      keys.filter((key) => key !== undefined),
    ),
  };
}

/** Operators may define types of their own, so only what looks like a slip is refused. */
export function parseEntityType(parameters: Parameters, name: string): string | undefined {
  const type = parameters.text(name);
  if (type === undefined || ENTITY_TYPES.some((known) => known === type)) return type;
  const hint = nearest(type, ENTITY_TYPES);
  if (isTagKey(type) && hint.startsWith('Use')) return type;
  throw invalidQuery(name, `"${type}" is no value of "${name}".`, hint);
}

/** `(untagged)` asks for entries that have none. */
function parseExact<N extends string>(parameters: Parameters, names: readonly N[]): ReadonlyMap<N, string> {
  const wanted = new Map<N, string>();
  for (const name of names) {
    const value = name === 'kind' ? parameters.oneOf(name, KINDS) : parameters.text(name);
    if (value !== undefined) wanted.set(name, value === UNTAGGED ? '' : value);
  }
  return wanted;
}

function parseProvenance(parameters: Parameters, keys: readonly string[]): EntryFilter['provenance'] {
  const is = parameters.oneOf('provenance', PROVENANCES);
  if (is === undefined) return undefined;
  if (keys.length === 0) {
    throw invalidQuery(
      'provenance',
      'Provenance is asked of a dimension, and none is named.',
      'Add tags=team:growth, entity_type, or group_by=tags.team. Labels and paths have no provenance.',
    );
  }
  return { is, keys };
}

/** `FROM … WHERE …` of a report. */
export function fromEntries(filter: EntryFilter, asOf: AsOf, bindings: Bindings): string {
  return `FROM ${ENTRIES} WHERE ${conditionsOf(filter, asOf, bindings).join(' AND ')}`;
}

/** One of the values of a dimension, or below one; null for none at all. `exactly`: only the values themselves. */
export type SoleCondition = {
  readonly dimension: string;
  readonly values: readonly (string | null)[];
  readonly match: 'below' | 'exactly';
};

/** What a filter asks for where that is little: everything of its period, or a dimension's values in it. Null where it is more. */
export function soleCondition(filter: EntryFilter): 'period' | SoleCondition | null {
  // Whatever a filter may have beside these is a condition of its own.
  const more = Object.entries(filter).some(([name, wanted]) => !LOOKED_AT.has(name) && wanted !== undefined);
  const conditions = [...plainConditions(filter), ...filter.tags.map(tagSums)];
  const [sole = 'period'] = conditions;
  return more || conditions.length > 1 ? null : sole;
}

const LOOKED_AT: ReadonlySet<string> = new Set(['period', 'builtIn', 'proven', 'tags', 'provider', 'status']);

function plainConditions({ provider, status, builtIn, proven }: EntryFilter): readonly SoleCondition[] {
  const asked: readonly (readonly [string, string | undefined])[] = [
    ['provider', provider],
    ['status', status],
    ...builtIn,
    ...Array.from(proven, ([name, value]) => [PROVEN[name] === 'key_id' ? 'key' : PROVEN[name], value] as const),
  ];
  return asked.flatMap(([dimension, value]) =>
    value === undefined ? [] : [{ dimension, values: [value === '' ? null : value], match: 'exactly' as const }],
  );
}

function tagSums(tag: TagFilter): SoleCondition | null {
  if (tag.kind !== 'dimension' || !isTagKey(tag.key)) return null;
  return { dimension: tagDimension(tag.key), values: tag.values, match: 'below' };
}

/** As it was asked for, as it answered, or `provider/model`: taken apart here, as putting it together for each entry takes as long as all else. */
function modelConditions(named: string, bind: Bindings['bind']): readonly string[] {
  const model = bind('String', named);
  const parts = named.split('/');
  const places = parts.slice(1).map((_, at) => at + 1);
  return [
    `request_model = ${model}`,
    `model = ${model}`,
    ...places.map((at) => {
      const [provider, rest] = [parts.slice(0, at).join('/'), parts.slice(at).join('/')];
      return `(provider = ${bind('String', provider)} AND model = ${bind('String', rest)})`;
    }),
  ];
}

export function conditionsOf(filter: EntryFilter, asOf: AsOf, bindings: Bindings): readonly string[] {
  return [withinPeriod(filter.period, asOf, bindings.bind), ...conditionsBesideTime(filter, asOf, bindings)];
}

export function conditionsBesideTime(filter: EntryFilter, asOf: AsOf, bindings: Bindings): readonly string[] {
  const { bind } = bindings;
  const { period, entityType, entityId } = filter;
  const all: string[] = [];
  const equal = (column: string, value: string | undefined) => {
    if (value !== undefined) all.push(`${column} = ${bind('String', value)}`);
  };
  if (entityType !== undefined) all.push(`isNotNull(${tagColumn(entityType)})`);
  equal(entityType === undefined ? 'entity_id' : tagColumn(entityType), entityId);
  equal('provider', filter.provider);
  equal('status', filter.status);
  equal('session_id', filter.sessionId);
  if (filter.key !== undefined) {
    const key = bind('String', filter.key);
    all.push(`(key_id = ${key} OR key_name = ${key})`);
  }
  if (filter.keyIds !== undefined) all.push(`key_id IN ${bind('Array(String)', filter.keyIds)}`);
  if (filter.model !== undefined) {
    all.push(`(${modelConditions(filter.model, bind).join(' OR ')})`);
  }
  if (filter.costState !== undefined)
    all.push(`${stateColumn({ period, asOf }, bindings)} = ${bind('String', filter.costState)}`);
  for (const [name, value] of filter.builtIn) equal(name, value);
  for (const [name, value] of filter.proven) equal(PROVEN[name], value);
  if (filter.provenance !== undefined) {
    all.push(...provenanceConditions(filter.provenance.keys, filter.provenance.is, bind));
  }
  return [...all, ...filter.tags.map((tag) => tagCondition(tag, bind))];
}
