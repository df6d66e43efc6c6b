import { readTags } from './body.ts';
import { DeclarationDraft, NO_TAGS, type TagDeclaration } from './declaration.ts';

/** The tags every call of a key inherits: `metadata.tags`, an array of strings or an object, as LiteLLM keeps them. */
export function readDefaultTags(metadata: unknown): TagDeclaration {
  if (typeof metadata !== 'object' || metadata === null || !('tags' in metadata)) return NO_TAGS;
  const { tags } = metadata;
  if (tags === undefined || tags === null) return NO_TAGS;
  const draft = new DeclarationDraft();
  readTags(draft, JSON.stringify(tags), 'metadata.tags');
  return draft.finish();
}
