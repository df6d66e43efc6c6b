import { z } from 'zod';
import { ApportionError } from '#terms';
import { ATTRIBUTION_FIELDS, readAttribution } from './attribution.ts';

export type Metadata = Readonly<Record<string, unknown>>;

/** LiteLLM takes a key's tags beside `metadata` too and keeps them in it; so it is with our locks and policy. */
export const metadataFields = {
  metadata: z.record(z.string(), z.unknown()).nullish(),
  tags: z.unknown().optional(),
  locked_tags: z.unknown().optional(),
  tag_policy: z.unknown().optional(),
};

/** What a request says of metadata. Absent: nothing. Null: empty it. */
export type StatedMetadata = {
  readonly metadata?: Metadata | null | undefined;
  readonly tags?: unknown;
  readonly locked_tags?: unknown;
  readonly tag_policy?: unknown;
};

/**
 * The metadata after a request, checked. `metadata` takes the place of all there was, but for locks and policy: clients
 * that know LiteLLM only and write their own metadata would else unlock a key without knowing it.
 */
export function mergeMetadata(before: Metadata, stated: StatedMetadata): Metadata {
  const { metadata } = stated;
  if (metadata === undefined && ATTRIBUTION_FIELDS.every((field) => stated[field] === undefined)) return before;
  const merged = new Map(Object.entries(metadata === undefined ? before : { ...guarded(before), ...metadata }));
  for (const field of ATTRIBUTION_FIELDS) {
    const [inside, beside] = [metadata?.[field], stated[field]];
    if (isNothing(beside)) {
      // `tags: []` next to `metadata.tags` adds none; on its own it empties them.
      if (beside !== undefined && isNothing(inside)) merged.delete(field);
    } else merged.set(field, isNothing(inside) ? beside : join(field, [inside, beside]));
    if (merged.get(field) === null) merged.delete(field);
  }
  const result = Object.fromEntries(merged);
  readAttribution(result);
  return result;
}

function guarded(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([field]) => GUARDED.has(field)));
}

const GUARDED: ReadonlySet<string> = new Set<(typeof ATTRIBUTION_FIELDS)[number]>(['locked_tags', 'tag_policy']);

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function join(field: (typeof ATTRIBUTION_FIELDS)[number], [inside, beside]: readonly [unknown, unknown]): unknown {
  if (field === 'tags' && Array.isArray(inside) && Array.isArray(beside)) {
    return Array.from(new Set<unknown>([...inside, ...beside]));
  }
  throw new ApportionError('invalid_field', `${field} and metadata.${field} cannot be joined.`, {
    param: `metadata.${field}`,
    hint: 'Send it in one of the two.',
  });
}
