import { readTags } from './json-tags.ts';
import { DeclarationDraft, NO_TAGS, type TagDeclaration } from './declaration.ts';
import { DEFAULT_TAG_RULES, type TagRules } from './rules.ts';

/**
 * Tags that are stated once for many calls: `metadata.tags` of a key or team, an array of strings or an object, as
 * LiteLLM keeps them. Locks are read the same way: `readDefaultTags({ tags: locks })`.
 */
export function readDefaultTags(metadata: unknown, rules: TagRules = DEFAULT_TAG_RULES): TagDeclaration {
  if (typeof metadata !== 'object' || metadata === null || !('tags' in metadata)) return NO_TAGS;
  const { tags } = metadata;
  if (tags === undefined || tags === null) return NO_TAGS;
  const draft = new DeclarationDraft(rules);
  readTags(draft, JSON.stringify(tags), 'metadata.tags');
  return draft.finish();
}
