import { nearestName } from '#std';
import { ENTITY_TYPES, type TagSet } from '#terms';
import { MULTIPLE } from '../parse-tag.ts';
import { type Allowed, type CompiledPolicy } from './compile-policy.ts';
import { OTHER } from './marks.ts';
import { rivals } from './normalize.ts';
import { listNames, showKey, type Notes } from './notes.ts';

/** Dimensions that fields of their own set, not a tag: a closed list of keys does not shut them out. */
const DEDICATED: ReadonlySet<string> = new Set([...ENTITY_TYPES, 'end_user']);

/** The rules that say what a call must, may and must not carry. */
export function checkRules(tags: TagSet, policy: CompiledPolicy, notes: Notes): void {
  for (const { key, level, mode } of policy.required) {
    if (tags.dimensions.has(key)) continue;
    notes.break({ level, mode, what: `${key} is missing`, fix: `Send the tag ${key}.`, param: `tags.${key}` });
  }
  if (policy.maxTags.length > 0) checkCount(tags, policy, notes);
  if (policy.closed.length > 0) checkKeys(tags, policy, notes);
  for (const [key, rule] of policy.keys) {
    if (rule.allowed.length > 0) checkDimension(tags, { key, allowed: rule.allowed }, notes);
  }
  if (policy.labels !== null) checkLabels(tags, policy.labels.allowed, notes);
}

function checkCount(tags: TagSet, policy: CompiledPolicy, notes: Notes): void {
  const count = countTags(tags);
  for (const { limit, level, mode } of policy.maxTags) {
    if (count <= limit) continue;
    const what = `the call has ${count} tags, the limit is ${limit}`;
    notes.break({ level, mode, what, fix: 'Send fewer.', param: 'tags' });
  }
}

/** What the caller can change: inherited dimensions do not count. */
export function countTags(tags: TagSet): number {
  let count = tags.labels.length + tags.paths.length;
  for (const { provenance } of tags.dimensions.values()) if (provenance === 'declared') count += 1;
  return count;
}

function checkKeys(tags: TagSet, policy: CompiledPolicy, notes: Notes): void {
  for (const { known, level, mode } of policy.closed) {
    const stray: string[] = [];
    for (const [key, { provenance }] of tags.dimensions) {
      if (provenance === 'declared' && !known.has(key) && !DEDICATED.has(key)) stray.push(key);
    }
    const [first] = stray.toSorted();
    if (first === undefined) continue;
    const what = `not among the allowed keys: ${listNames(stray.map(showKey))}`;
    notes.break({ level, mode, what, fix: suggest(first, known), param: 'tags' });
  }
}

function checkDimension(
  tags: TagSet,
  { key, allowed }: { key: string; allowed: readonly Allowed[] },
  notes: Notes,
): void {
  const value = tags.dimensions.get(key)?.value;
  if (value === undefined || value === OTHER) return;
  const values = value === MULTIPLE ? rivals(key, tags.conflicts) : [value];
  checkAllowed(values, { allowed, name: key, param: `tags.${key}` }, notes);
}

function checkLabels(tags: TagSet, allowed: readonly Allowed[], notes: Notes): void {
  checkAllowed(tags.labels, { allowed, name: 'a label', param: 'tags' }, notes);
}

function checkAllowed(
  texts: readonly string[],
  rule: { allowed: readonly Allowed[]; name: string; param: string },
  notes: Notes,
): void {
  for (const one of rule.allowed) {
    const [wrong] = texts.filter((text) => !one.values.has(text) && one.pattern?.matches(text) !== true).toSorted();
    if (wrong === undefined) continue;
    const what = `${rule.name} has a value that is not allowed`;
    notes.break({ level: one.level, mode: one.mode, what, fix: fixFor(wrong, one), param: rule.param });
  }
}

function fixFor(text: string, { values, pattern }: Allowed): string {
  if (values.size > 0) return suggest(text, values);
  return `Send one that matches ${pattern?.source ?? ''}.`;
}

function suggest(text: string, known: ReadonlySet<string>): string {
  const near = nearestName(text, known, 1);
  return near === undefined ? `Allowed: ${listNames(known)}.` : `Did you mean ${near}?`;
}
