import { isTagKey, tagColumn } from '#ledger/store';
import type { TagFilter } from '#tags';
import type { Provenance } from '#terms';
import type { Bindings } from './bindings.ts';
import { invalidQuery } from './parameters.ts';

type Bind = Bindings['bind'];

/** One condition of `tags=` as SQL. */
export function tagCondition(filter: TagFilter, bind: Bind): string {
  if (filter.kind === 'dimension') return dimensionCondition(filter.key, filter.values, bind);
  if (filter.kind === 'path') {
    const path = bind('String', filter.segments.join('/'));
    return whereBegun(path, hasPathUnder(path));
  }
  const label = bind('String', filter.label);
  return whereBegun(label, `${hasLabel(label)} OR ${hasPathUnder(label)}`);
}

/** Every one of these dimensions is there and came from where it should. */
export function provenanceConditions(keys: readonly string[], provenance: Provenance, bind: Bind): readonly string[] {
  return keys.map((key) => `${tagColumn(key, 'tag_provenance')} = ${bind('String', provenance)}`);
}

/** True where `text` is `path` or lies below it, by whole segments: `US/Cal` is not above `US/California`. */
export function isUnder(text: string, path: string): string {
  // In one function of the text, which the engine then asks once of each different one.
  return `startsWith(concat(${text}, '/'), concat(${path}, '/'))`;
}

// As `label_set` has lists: the engine asks these of each different text once, where it would take lists apart for each entry.
const ITEM = String.raw`"(?:[^"\\]|\\.)*"`;
const LABELS = String.raw`^\[\[`;
const PATHS = String.raw`${LABELS}(?:${ITEM}(?:,${ITEM})*)?\],\[`;

function hasLabel(label: string): string {
  return matches(LABELS, `regexpQuoteMeta(toJSONString(${label}))`);
}

function hasPathUnder(path: string): string {
  return matches(PATHS, `regexpQuoteMeta(${begun(path)}), ${literal(String.raw`(?:"|\\/)`)}`);
}

/** An item that begins so, as far as that is certain. */
function begun(item: string): string {
  return `substring(toJSONString(${item}), 1, length(toJSONString(${item})) - 1)`;
}

/** Looks for the text first, which takes a tenth of what the pattern takes and is all for most entries. */
function whereBegun(item: string, condition: string): string {
  return `if(position(label_set, ${begun(item)}) > 0, ${condition}, 0)`;
}

/** True where `item` is in a list that begins with `start`. */
function matches(start: string, item: string): string {
  return `match(label_set, concat(${literal(`${start}(?:${ITEM},)*`)}, ${item}))`;
}

function literal(pattern: string): string {
  return `'${pattern.replaceAll('\\', '\\\\')}'`;
}

/** The value of a dimension is one of these, or below one; null for none at all. */
export function tagValueCondition(column: string, values: readonly (string | null)[], bind: Bind): string {
  const any = values.map((value) => (value === null ? `isNull(${column})` : isUnder(column, bind('String', value))));
  return `(${any.join(' OR ')})`;
}

function dimensionCondition(key: string, values: readonly (string | null)[], bind: Bind): string {
  if (!isTagKey(key))
    throw invalidQuery('tags', `"${key}" is no tag key.`, 'Keys hold letters, digits, "_", "." and "-".');
  return tagValueCondition(tagColumn(key), values, bind);
}
