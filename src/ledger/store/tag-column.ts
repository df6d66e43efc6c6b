import { invariant } from '#std';

const TAG_KEY = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/** The JSON columns keyed by tag key: what a tag's value is, and where it came from. */
export type TagKeyedColumn = 'tags' | 'tag_provenance';

/** True for keys that may be part of a column expression: letters, digits, `_`, `.`, `-`, at most 64 characters. */
export function isTagKey(key: string): boolean {
  return TAG_KEY.test(key);
}

/**
 * The path a tag key has inside the JSON columns. A bare dot would nest (`a.b` would collide with `{"a":{"b":…}}`), so it
 * is written `%2E`, as ClickHouse itself does on insert under `json_type_escape_dots_in_keys`. `%` is in no legal key.
 */
export function tagPath(key: string): string {
  invariant(isTagKey(key), `a tag key reaches SQL only after parsing, got ${JSON.stringify(key)}`);
  return key.replaceAll('.', '%2E');
}

/** The tag key of a path as `JSONAllPaths(tags)` lists it; the inverse of `tagPath`. */
export function tagKeyOfPath(path: string): string {
  return path.replaceAll('%2E', '.');
}

/**
 * The SQL expression of one tag: `Nullable(String)`, NULL where an entry has no such tag. The typed subcolumn (`.:String`)
 * is what can be grouped by and is read alone from disk. Safe to splice into SQL: an illegal key is an InvariantError.
 */
export function tagColumn(key: string, column: TagKeyedColumn = 'tags'): string {
  return `${column}.\`${tagPath(key)}\`.:String`;
}
