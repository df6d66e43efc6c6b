import {
  type ENTITY_TYPES,
  LIMITS,
  TAG_SOURCES,
  type Dimension,
  type Entity,
  type Provenance,
  type TagConflict,
  type TagSet,
  type TagSource,
} from '#terms';
import { type TagDeclaration } from './declaration.ts';
import { MULTIPLE, overLimit } from './parse-tag.ts';

const PROVENANCE_OF: Readonly<Record<TagSource, Provenance>> = {
  key_lock: 'locked',
  team_lock: 'locked',
  body: 'declared',
  header: 'declared',
  key_default: 'default',
  team_default: 'default',
  deployment_default: 'default',
};

const DECLARED_FIRST: readonly TagSource[] = [
  ...TAG_SOURCES.filter((source) => PROVENANCE_OF[source] === 'declared'),
  ...TAG_SOURCES.filter((source) => PROVENANCE_OF[source] !== 'declared'),
];

/** Whom a call counts for when no entity was declared as such. */
const PRIMARY_ORDER: readonly string[] = [
  'customer',
  'project',
  'team',
  'employee',
] satisfies (typeof ENTITY_TYPES)[number][];

type Weighing = {
  readonly dimensions: Map<string, Dimension>;
  readonly conflicts: TagConflict[];
  readonly warnings: string[];
  primaryType: string | null;
  sessionId: string | null;
};

/**
 * Weighs all sources of one call into its `TagSet`, strongest first.
 *
 * @param context `keyTeam`: the team the key proves, the default of dimension `team`; empty when the key has none
 */
export function resolveTags(
  sources: ReadonlyMap<TagSource, TagDeclaration>,
  context: { readonly keyTeam: string },
): TagSet {
  const weighing: Weighing = { dimensions: new Map(), conflicts: [], warnings: [], primaryType: null, sessionId: null };
  for (const source of TAG_SOURCES) {
    const declaration = sources.get(source);
    if (declaration !== undefined) weigh(weighing, declaration, source);
  }
  const labels = unite(sources, 'labels');
  const paths = unite(sources, 'paths');
  if (sources.size > 1) checkCount(sources, labels.length + paths.length);
  if (context.keyTeam !== '' && !weighing.dimensions.has('team')) {
    weighing.dimensions.set('team', { value: context.keyTeam, provenance: 'default' });
  }
  return {
    entity: primaryEntity(weighing),
    sessionId: weighing.sessionId,
    sessionPath: null,
    traceId: null,
    overflow: new Map(),
    dimensions: weighing.dimensions,
    labels,
    paths,
    conflicts: weighing.conflicts,
    sent: unite(sources, 'sent'),
    warnings: weighing.warnings,
  };
}

function weigh(weighing: Weighing, declaration: TagDeclaration, source: TagSource): void {
  const { entity, dimensions, sessionIds, warnings } = declaration;
  if (entity !== null) {
    weighing.primaryType ??= entity.type;
    weighDimension(weighing, entity.type, { values: dimensions.get(entity.type) ?? [], dedicated: entity.id, source });
  }
  for (const [key, values] of dimensions) {
    if (key !== entity?.type) weighDimension(weighing, key, { values, dedicated: null, source });
  }
  for (const sessionId of sessionIds) {
    weighing.sessionId ??= sessionId;
    if (weighing.sessionId !== sessionId) weighing.conflicts.push({ key: 'session_id', value: sessionId, source });
  }
  if (warnings.length > 0) weighing.warnings.push(...warnings);
}

type Claim = {
  readonly values: readonly string[];
  /** The entity id where the dedicated parameter set this dimension: it beats tags of the same source. */
  readonly dedicated: string | null;
  readonly source: TagSource;
};

function weighDimension(weighing: Weighing, key: string, { values, dedicated, source }: Claim): void {
  const stronger = weighing.dimensions.get(key);
  const value = stronger?.value ?? dedicated ?? (values.length === 1 ? values[0] : MULTIPLE) ?? MULTIPLE;
  if (stronger === undefined) weighing.dimensions.set(key, { value, provenance: PROVENANCE_OF[source] });
  if (stronger === undefined && value === MULTIPLE)
    weighing.warnings.push(`${key} has more than one value in one source`);
  const claimed = dedicated === null ? values : [dedicated, ...values];
  const losers = claimed.filter((claim, index) => claim !== value && claimed.indexOf(claim) === index);
  if (losers.length === 0) return;
  if (stronger?.provenance === 'locked' && PROVENANCE_OF[source] === 'declared') {
    weighing.warnings.push(`${key} is locked by the key; the declared value was not used`);
  }
  // Sorted, so that the order in which a caller lists tags changes nothing in the entry but the strings as sent.
  for (const loser of losers.toSorted()) weighing.conflicts.push({ key, value: loser, source });
}

function primaryEntity({ primaryType, dimensions }: Weighing): Entity | null {
  const type = primaryType ?? firstSet(dimensions, isStated) ?? firstSet(dimensions, () => true);
  if (type === null) return null;
  const dimension = dimensions.get(type);
  return dimension === undefined ? null : { type, id: dimension.value };
}

function isStated({ provenance }: Dimension): boolean {
  return provenance !== 'default';
}

function firstSet(
  dimensions: ReadonlyMap<string, Dimension>,
  counts: (dimension: Dimension) => boolean,
): string | null {
  for (const type of PRIMARY_ORDER) {
    const dimension = dimensions.get(type);
    if (dimension !== undefined && counts(dimension)) return type;
  }
  return null;
}

/** What the caller said first, then what was inherited; first seen stays first. */
function unite(sources: ReadonlyMap<TagSource, TagDeclaration>, field: 'labels' | 'paths' | 'sent'): readonly string[] {
  let all: readonly string[] = [];
  for (const source of DECLARED_FIRST) {
    const more = sources.get(source)?.[field];
    if (more === undefined || more.length === 0) continue;
    all = all.length === 0 ? more : Array.from(new Set([...all, ...more]));
  }
  return all;
}

/** Each source alone is within the limit already; together they may not be. The entity pair is no tag. */
function checkCount(sources: ReadonlyMap<TagSource, TagDeclaration>, valueless: number): void {
  const keys = new Set<string>();
  for (const { dimensions } of sources.values()) for (const key of dimensions.keys()) keys.add(key);
  const count = keys.size + valueless;
  if (count <= LIMITS.tagsPerCall) return;
  throw overLimit('tags', `the call has ${count} tags with those its key adds, the limit is ${LIMITS.tagsPerCall}`);
}
