import { PROVENANCES } from '#terms';
import { isTagKey } from '../store/tag-column.ts';
import type { EntryFields } from './entry-fields.ts';

const KNOWN: ReadonlySet<string> = new Set(PROVENANCES);

/** A key that is none would not be found in reports; a tag of unknown origin could move money. */
export function tagProblems({ tags, tagProvenance }: EntryFields): readonly string[] {
  const problems: string[] = [];
  for (const key in tags) {
    if (!isTagKey(key)) problems.push(`"${key}" is no tag key`);
    else if (!KNOWN.has(tagProvenance[key] ?? '')) problems.push(`the tag ${key} does not say where it came from`);
  }
  return problems;
}
