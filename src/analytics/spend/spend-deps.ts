import type { EntryFilter } from '../filter.ts';
import type { AnalyticsDeps } from '../report.ts';

/** How LiteLLM's clients know a key: by the hash of its token. */
export type KeyName = { readonly hash: string; readonly name: string };

export type SpendDeps = AnalyticsDeps & {
  /** By id; keys that were deleted too. */
  readonly keys: () => Promise<ReadonlyMap<string, KeyName>>;
};

/** Entries of the key that is named by token hash, id or alias; of an alias, those of every key called so, deleted ones too. What names no key finds no call. */
export function ofKey(filter: EntryFilter, named: string, keys: ReadonlyMap<string, KeyName>): EntryFilter {
  const all = Array.from(keys, ([id, { hash, name }]) => ({ id, hash, name }));
  const exact = all.find(({ id, hash }) => named === id || named === hash);
  const ids = exact === undefined ? all.filter(({ name }) => named === name).map(({ id }) => id) : [exact.id];
  if (ids.length > 1) return { ...filter, keyIds: ids };
  return { ...filter, proven: new Map([...filter.proven, ['key.id', ids[0] ?? named]]) };
}

/** What LiteLLM calls `api_key`: the hash, or the id of a key nobody remembers. */
export function apiKeyOf(id: string, keys: ReadonlyMap<string, KeyName>): string {
  return keys.get(id)?.hash ?? id;
}
