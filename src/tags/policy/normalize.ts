import { TAG_SOURCES, type Dimension, type TagConflict, type TagSet } from '#terms';
import { MULTIPLE } from '../parse-tag.ts';
import { foldText, type CompiledPolicy, type CompiledText } from './compile-policy.ts';
import { isMark } from './marks.ts';

/** Folds case and follows aliases, for values (those that lost too) and labels. What was sent stays as it was sent. */
export function normalize(tags: TagSet, policy: CompiledPolicy): TagSet {
  const { keys, labels } = policy;
  const plain = normalizeDimensions(tags, keys);
  if (labels === null || tags.labels.length === 0) return plain;
  const settled = tags.labels.map((label) => settle(label, labels));
  if (settled.every((label, index) => label === tags.labels[index])) return plain;
  return { ...plain, labels: [...new Set(settled)] };
}

function settle(text: string, rule: CompiledText): string {
  if (isMark(text)) return text;
  const folded = foldText(text, rule.fold);
  return rule.aliases.get(folded) ?? folded;
}

function normalizeDimensions(tags: TagSet, keys: CompiledPolicy['keys']): TagSet {
  if (keys.size === 0) return tags;
  const conflicts = normalizeConflicts(tags.conflicts, keys);
  const changed = new Map<string, string>();
  for (const [key, rule] of keys) {
    const value = tags.dimensions.get(key)?.value;
    if (value === undefined) continue;
    const settled = value === MULTIPLE ? agreement(key, conflicts) : settle(value, rule);
    if (settled !== value) changed.set(key, settled);
  }
  if (changed.size === 0 && conflicts === tags.conflicts) return tags;
  const dimensions = setValues(tags.dimensions, changed);
  return {
    ...tags,
    dimensions,
    entity: entityOf(tags, dimensions),
    // What has become the winning value has lost nothing.
    conflicts: distinct(conflicts).filter(({ key, value }) => dimensions.get(key)?.value !== value),
  };
}

function normalizeConflicts(conflicts: readonly TagConflict[], keys: CompiledPolicy['keys']): readonly TagConflict[] {
  if (conflicts.length === 0) return conflicts;
  const settled = conflicts.map((conflict) => {
    const rule = keys.get(conflict.key);
    const value = rule === undefined ? conflict.value : settle(conflict.value, rule);
    return value === conflict.value ? conflict : { ...conflict, value };
  });
  return settled.every((conflict, index) => conflict === conflicts[index]) ? conflicts : settled;
}

/** `prod` and `Production` from one source are one value after all; `prod` and `staging` stay `(multiple)`. */
function agreement(key: string, conflicts: readonly TagConflict[]): string {
  const values = rivals(key, conflicts);
  const [only = MULTIPLE] = values;
  return values.length === 1 ? only : MULTIPLE;
}

/** The values that made a dimension `(multiple)`: those of the strongest source that had any. */
export function rivals(key: string, conflicts: readonly TagConflict[]): readonly string[] {
  const own = conflicts.filter((conflict) => conflict.key === key);
  const strongest = TAG_SOURCES.find((source) => own.some((conflict) => conflict.source === source));
  return [...new Set(own.flatMap(({ source, value }) => (source === strongest ? [value] : [])))];
}

export function setValues(
  dimensions: ReadonlyMap<string, Dimension>,
  changed: ReadonlyMap<string, string>,
): ReadonlyMap<string, Dimension> {
  if (changed.size === 0) return dimensions;
  const all = new Map(dimensions);
  for (const [key, value] of changed) {
    const dimension = dimensions.get(key);
    if (dimension !== undefined) all.set(key, { value, provenance: dimension.provenance });
  }
  return all;
}

/** The primary entity is a dimension too, and both always name the same one. */
export function entityOf(tags: TagSet, dimensions: ReadonlyMap<string, Dimension>): TagSet['entity'] {
  const { entity } = tags;
  const value = entity === null ? undefined : dimensions.get(entity.type)?.value;
  return entity === null || value === undefined || value === entity.id ? entity : { type: entity.type, id: value };
}

export function distinct(conflicts: readonly TagConflict[]): readonly TagConflict[] {
  const seen = new Set<string>();
  return conflicts.filter(({ key, value, source }) => {
    const print = JSON.stringify([key, value, source]);
    if (seen.has(print)) return false;
    seen.add(print);
    return true;
  });
}
