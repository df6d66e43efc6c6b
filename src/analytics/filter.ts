import { ENTRIES, isTagKey, tagColumn, type AsOf } from '#ledger/store';
import { parseTagFilter, type TagFilter } from '#tags';
import { ENTITY_TYPES } from '#terms';
import type { TimestampMs } from '#std';
import type { Bindings } from './bindings.ts';
import { invalidQuery, type Parameters } from './parameters.ts';
import { parseOptionalPeriod, parsePeriod, PERIOD_PARAMETERS, type Period } from './period.ts';

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

/** Which entries a report is about. Everything given must hold. */
export type EntryFilter = {
  readonly period: Period;
  /** Entries that carry the dimension of this name, however it was set. */
  readonly entityType: string | undefined;
  readonly entityId: string | undefined;
  readonly model: string | undefined;
  readonly provider: string | undefined;
  readonly status: string | undefined;
  readonly key: string | undefined;
  readonly sessionId: string | undefined;
  readonly tags: readonly TagFilter[];
};

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
] as const;

export function parseFilter(parameters: Parameters, now: TimestampMs): EntryFilter {
  return filterOver(parsePeriod(parameters, now), parameters);
}

/** For lists: without dates, everything up to now. */
export function parseListFilter(parameters: Parameters, now: TimestampMs): EntryFilter {
  return filterOver(parseOptionalPeriod(parameters, now), parameters);
}

function filterOver(period: Period, parameters: Parameters): EntryFilter {
  const tags = parameters.text('tags');
  return {
    period,
    entityType: parameters.oneOf('entity_type', ENTITY_TYPES),
    entityId: parameters.text('entity_id'),
    model: parameters.text('model'),
    provider: parameters.text('provider'),
    status: parameters.oneOf('status', STATUSES),
    key: parameters.text('key'),
    sessionId: parameters.text('session_id'),
    tags: tags === undefined ? [] : parseTagFilter(tags),
  };
}

/**
 * `FROM … WHERE …` of a report. Bounded by `asOf` too: a report takes several statements, and entries that arrive between
 * them must not make its parts differ from its total.
 */
export function fromEntries(filter: EntryFilter, asOf: AsOf, bindings: Bindings): string {
  return `FROM ${ENTRIES} WHERE ${conditions(filter, asOf, bindings).join(' AND ')}`;
}

function conditions(filter: EntryFilter, asOf: AsOf, { bind }: Bindings): readonly string[] {
  const { period, entityType, entityId } = filter;
  const all = [
    `effective_at >= fromUnixTimestamp64Milli(${bind('Int64', period.startMs)}, 'UTC')`,
    `effective_at < fromUnixTimestamp64Milli(${bind('Int64', period.endMs)}, 'UTC')`,
    `(node_id != ${bind('String', asOf.nodeId)} OR seq <= ${bind('UInt64', asOf.seq)})`,
  ];
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
  if (filter.model !== undefined) {
    const model = bind('String', filter.model);
    all.push(`(request_model = ${model} OR model = ${model} OR concat(provider, '/', model) = ${model})`);
  }
  return [...all, ...filter.tags.map((tag) => tagCondition(tag, bind))];
}

function tagCondition(filter: TagFilter, bind: Bindings['bind']): string {
  if (filter.kind === 'dimension') return dimensionCondition(filter.key, filter.values, bind);
  if (filter.kind === 'path') return underPath('paths', bind('String', filter.segments.join('/')));
  const label = bind('String', filter.label);
  return `(has(labels, ${label}) OR ${underPath('paths', label)})`;
}

/** True where one of `paths` is `path` or lies below it, by whole segments: `US/Cal` is not above `US/California`. */
function underPath(paths: string, path: string): string {
  return `arrayExists(p -> p = ${path} OR startsWith(p, concat(${path}, '/')), ${paths})`;
}

function dimensionCondition(key: string, values: readonly (string | null)[], bind: Bindings['bind']): string {
  if (!isTagKey(key))
    throw invalidQuery('tags', `"${key}" is no tag key.`, 'Keys hold letters, digits, "_", "." and "-".');
  const column = tagColumn(key);
  const any = values.map((value) => (value === null ? `isNull(${column})` : `${column} = ${bind('String', value)}`));
  return `(${any.join(' OR ')})`;
}
