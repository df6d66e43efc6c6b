import {
  LIMITS,
  TAG_SOURCES,
  type Dimension,
  type Entity,
  type Provenance,
  type TagConflict,
  type TagSet,
  type TagSource,
} from '#terms';
import { NO_TAGS, type TagDeclaration } from './declaration.ts';
import { MULTIPLE, overLimit } from './parse-tag.ts';
import { DEFAULT_TAG_RULES, type TagRules } from './rules.ts';

const PROVENANCE_OF: Readonly<Record<TagSource, Provenance>> = {
  key_lock: 'locked',
  team_lock: 'locked',
  body: 'declared',
  header: 'declared',
  key_default: 'default',
  team_default: 'default',
  deployment_default: 'default',
};

/** LiteLLM's order of preference for the end user: a header before a field of the body. */
const END_USER_SOURCES: readonly TagSource[] = ['header', 'body'];

type Layer = { readonly source: TagSource; readonly declaration: TagDeclaration };

type Weighing = {
  readonly dimensions: Map<string, Dimension>;
  readonly conflicts: TagConflict[];
  readonly warnings: string[];
  primaryType: string | null;
  sessionId: string | null;
  sessionPath: string | null;
  traceId: string | null;
};

/**
 * Weighs all sources of one call into its `TagSet`, strongest first.
 *
 * @param context `keyTeam`: the team the key proves, the default of dimension `team`; empty when the key has none
 */
export function resolveTags(
  sources: ReadonlyMap<TagSource, TagDeclaration>,
  context: { readonly keyTeam: string; readonly rules?: TagRules },
): TagSet {
  const rules = context.rules ?? DEFAULT_TAG_RULES;
  const layers = layersOf(sources);
  const weighing: Weighing = {
    dimensions: new Map(),
    conflicts: [],
    warnings: [],
    primaryType: null,
    sessionId: null,
    sessionPath: null,
    traceId: null,
  };
  let endUserWeighed = false;
  for (const layer of layers) {
    if (!endUserWeighed && PROVENANCE_OF[layer.source] === 'default') {
      weighEndUser(weighing, layers, rules);
      endUserWeighed = true;
    }
    weigh(weighing, layer);
  }
  if (!endUserWeighed) weighEndUser(weighing, layers, rules);
  const statedFirst = callerFirst(layers);
  const labels = unite(statedFirst, 'labels');
  const paths = unite(statedFirst, 'paths');
  if (layers.length > 1) checkCount(layers, labels.length + paths.length);
  if (context.keyTeam !== '' && !weighing.dimensions.has('team')) {
    weighing.dimensions.set('team', { value: context.keyTeam, provenance: 'default' });
  }
  return {
    entity: primaryEntity(weighing, rules),
    // A trace is the closest thing to a session that a caller without sessions says.
    sessionId: weighing.sessionId ?? weighing.traceId,
    sessionPath: weighing.sessionPath,
    traceId: weighing.traceId,
    overflow: new Map(),
    dimensions: weighing.dimensions,
    labels,
    paths,
    conflicts: weighing.conflicts,
    sent: unite(statedFirst, 'sent'),
    warnings: weighing.warnings,
  };
}

/** Everything that was said, strongest first. What says nothing is left out. */
function layersOf(sources: ReadonlyMap<TagSource, TagDeclaration>): readonly Layer[] {
  const layers: Layer[] = [];
  for (const source of TAG_SOURCES) {
    let declaration = sources.get(source) ?? null;
    while (declaration !== null) {
      if (declaration !== NO_TAGS) layers.push({ source, declaration });
      declaration = declaration.weaker;
    }
  }
  return layers;
}

/** The caller's own words, then what a key adds to them. */
function callerFirst(layers: readonly Layer[]): readonly Layer[] {
  if (layers[0] === undefined || isStated(layers[0])) return layers;
  return [...layers.filter(isStated), ...layers.filter((layer) => !isStated(layer))];
}

function isStated({ source }: Layer): boolean {
  return PROVENANCE_OF[source] === 'declared';
}

function weigh(weighing: Weighing, { declaration, source }: Layer): void {
  const { entity, dimensions, warnings } = declaration;
  if (entity !== null) {
    weighing.primaryType ??= entity.type;
    weighDimension(weighing, entity.type, { values: dimensions.get(entity.type) ?? [], dedicated: entity.id, source });
  }
  const provenance = PROVENANCE_OF[source];
  for (const [key, values] of dimensions) {
    if (key === entity?.type) continue;
    const only = values[0];
    // Nearly every dimension is named once: nothing to weigh.
    if (only !== undefined && values.length === 1 && !weighing.dimensions.has(key)) {
      weighing.dimensions.set(key, { value: only, provenance });
    } else {
      weighDimension(weighing, key, { values, dedicated: null, source });
    }
  }
  const { sessionIds, sessionPaths, traceIds } = declaration;
  if (sessionIds.length > 0) weighing.sessionId = firstOf(weighing, { key: 'session_id', source }, sessionIds);
  if (sessionPaths.length > 0) weighing.sessionPath = firstOf(weighing, { key: 'session_path', source }, sessionPaths);
  if (traceIds.length > 0) weighing.traceId = firstOf(weighing, { key: 'trace_id', source }, traceIds);
  if (warnings.length > 0) weighing.warnings.push(...warnings);
}

const IDS = { session_id: 'sessionId', session_path: 'sessionPath', trace_id: 'traceId' } as const;

type Place = { readonly key: keyof typeof IDS; readonly source: TagSource };

/** What is known already, else the first of `values`; all others become conflicts. */
function firstOf(weighing: Weighing, { key, source }: Place, values: readonly string[]): string | null {
  let first = weighing[IDS[key]];
  for (const value of values) {
    first ??= value;
    if (value !== first) weighing.conflicts.push({ key, value, source });
  }
  return first;
}

/** The dimension `end_user`, and the customer where nobody declared one. */
function weighEndUser(weighing: Weighing, layers: readonly Layer[], rules: TagRules): void {
  const { dimensions } = weighing;
  let claimed = false;
  for (const source of END_USER_SOURCES) {
    for (const layer of layers) {
      if (layer.source !== source) continue;
      for (const value of layer.declaration.endUsers) {
        const known = dimensions.get('end_user');
        if (known === undefined) dimensions.set('end_user', { value, provenance: PROVENANCE_OF[source] });
        else if (known.value !== value) weighing.conflicts.push({ key: 'end_user', value, source });
        claimed = true;
      }
    }
  }
  const endUser = dimensions.get('end_user');
  if (!claimed || endUser === undefined || rules.endUserAs !== 'customer' || dimensions.has('customer')) return;
  dimensions.set('customer', endUser);
}

type Claim = {
  readonly values: readonly string[];
  /** The entity id where the dedicated parameter set this dimension: it beats tags of the same source. */
  readonly dedicated: string | null;
  readonly source: TagSource;
};

function weighDimension(weighing: Weighing, key: string, { values, dedicated, source }: Claim): void {
  const stronger = weighing.dimensions.get(key);
  const value = stronger?.value ?? dedicated ?? MULTIPLE;
  if (stronger === undefined) weighing.dimensions.set(key, { value, provenance: PROVENANCE_OF[source] });
  if (stronger === undefined && value === MULTIPLE)
    weighing.warnings.push(`${key} has more than one value in one source`);
  const claimed = dedicated === null ? values : [dedicated, ...values];
  const losers = claimed.filter((claim, index) => claim !== value && claimed.indexOf(claim) === index);
  if (losers.length === 0) return;
  if (stronger?.provenance === 'locked' && PROVENANCE_OF[source] === 'declared') {
    weighing.warnings.push(`${key} is locked by the key or its team; the declared value was not used`);
  }
  // Sorted, so that the order in which a caller lists tags changes nothing in the entry but the strings as sent.
  for (const loser of losers.toSorted()) weighing.conflicts.push({ key, value: loser, source });
}

function primaryEntity({ primaryType, dimensions }: Weighing, { entityTypes }: TagRules): Entity | null {
  const set = entityTypes.filter((type) => dimensions.has(type));
  const type = primaryType ?? set.find((name) => dimensions.get(name)?.provenance !== 'default') ?? set[0] ?? null;
  if (type === null) return null;
  const dimension = dimensions.get(type);
  return dimension === undefined ? null : { type, id: dimension.value };
}

/** First seen stays first. */
function unite(layers: readonly Layer[], field: 'labels' | 'paths' | 'sent'): readonly string[] {
  let all: readonly string[] = [];
  for (const { declaration } of layers) {
    const more = declaration[field];
    if (more.length > 0) all = all.length === 0 ? more : union(all, more);
  }
  return all;
}

/** Most calls carry a dozen tags, of which comparing one by one is cheaper than hashing all. */
const FEW = 16;

function union(all: readonly string[], more: readonly string[]): readonly string[] {
  if (all.length > FEW || more.length > FEW) return Array.from(new Set([...all, ...more]));
  return [...all, ...more.filter((text) => !all.includes(text))];
}

/** Each draft alone is within the limit already; together they may not be. Entity pair and end user are no tags. */
function checkCount(layers: readonly Layer[], valueless: number): void {
  let most = valueless;
  for (const { declaration } of layers) most += declaration.dimensions.size;
  if (most <= LIMITS.tagsPerCall) return;
  const keys = new Set<string>();
  for (const { declaration } of layers) for (const key of declaration.dimensions.keys()) keys.add(key);
  const count = keys.size + valueless;
  if (count <= LIMITS.tagsPerCall) return;
  throw overLimit(
    'tags',
    `the call has ${count} tags with those its headers and its key add, the limit is ${LIMITS.tagsPerCall}`,
  );
}
