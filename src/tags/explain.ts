import { TAG_SOURCES, type Dimension, type Entity, type Provenance, type TagSet, type TagSource } from '#terms';
import { type TagDeclaration } from './declaration.ts';

/** Why a call resolved to what it did, as plain JSON. */
export type TagExplanation = {
  readonly entity: Entity | null;
  readonly session_id: string | null;
  readonly session_path: string | null;
  readonly trace_id: string | null;
  readonly dimensions: readonly ExplainedDimension[];
  readonly labels: readonly ExplainedLabel[];
  readonly paths: readonly ExplainedLabel[];
  readonly sent: readonly string[];
  readonly warnings: readonly string[];
};

export type ExplainedDimension = {
  readonly key: string;
  readonly value: string;
  readonly provenance: Provenance;
  /** Where the value came from; `end_user` where an end user id stands in for the customer, `key_team` for the key's team. */
  readonly source: TagSource | 'end_user' | 'key_team';
  /** What was sent where a policy changed the value. */
  readonly sent_value: string | null;
  readonly lost: readonly { readonly value: string; readonly source: TagSource }[];
};

export type ExplainedLabel = { readonly value: string; readonly sources: readonly TagSource[] };

/** @param sources as they were given to `resolveTags`; `tags` is its result, or what a policy made of it */
export function explainTags(sources: ReadonlyMap<TagSource, TagDeclaration>, tags: TagSet): TagExplanation {
  return {
    entity: tags.entity,
    session_id: tags.sessionId,
    session_path: tags.sessionPath,
    trace_id: tags.traceId,
    dimensions: Array.from(tags.dimensions, ([key, dimension]) => explainDimension(sources, tags, { key, dimension })),
    labels: tags.labels.map((value) => ({ value, sources: sourcesOf(sources, (said) => said.labels.includes(value)) })),
    paths: tags.paths.map((value) => ({ value, sources: sourcesOf(sources, (said) => said.paths.includes(value)) })),
    sent: tags.sent,
    warnings: tags.warnings,
  };
}

function explainDimension(
  sources: ReadonlyMap<TagSource, TagDeclaration>,
  tags: TagSet,
  { key, dimension }: { readonly key: string; readonly dimension: Dimension },
): ExplainedDimension {
  return {
    key,
    value: dimension.value,
    provenance: dimension.provenance,
    source: sourceOf(sources, key, dimension.provenance),
    sent_value: tags.overflow.get(key) ?? null,
    lost: tags.conflicts.filter((conflict) => conflict.key === key).map(({ value, source }) => ({ value, source })),
  };
}

/** The strongest source that names the key gave its value: nothing weaker can. */
function sourceOf(
  sources: ReadonlyMap<TagSource, TagDeclaration>,
  key: string,
  provenance: Provenance,
): ExplainedDimension['source'] {
  const [strongest] = sourcesOf(sources, (said) => said.dimensions.has(key) || said.entity?.type === key);
  const isNamed = strongest !== undefined && TAG_SOURCES.indexOf(strongest) <= TAG_SOURCES.indexOf('header');
  if (provenance === 'declared' && !isNamed) {
    // Headers come first among end users.
    const [user] = sourcesOf(sources, (said) => said.endUsers.length > 0).toReversed();
    if (user !== undefined) return key === 'customer' ? 'end_user' : user;
  }
  return strongest ?? 'key_team';
}

function sourcesOf(
  sources: ReadonlyMap<TagSource, TagDeclaration>,
  says: (declaration: TagDeclaration) => boolean,
): TagSource[] {
  return TAG_SOURCES.filter((source) => {
    let declaration = sources.get(source) ?? null;
    while (declaration !== null) {
      if (says(declaration)) return true;
      declaration = declaration.weaker;
    }
    return false;
  });
}
