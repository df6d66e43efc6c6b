import type { AnalyticsDeps } from '../report.ts';

/** How LiteLLM's clients know a key: by the hash of its token. */
export type KeyName = { readonly hash: string; readonly name: string };

export type SpendDeps = AnalyticsDeps & {
  /** By id; keys that were deleted too. */
  readonly keys: () => Promise<ReadonlyMap<string, KeyName>>;
};

/** The id of a key that is named by token hash, id or alias; what names no key finds no call. */
export function keyIdOf(named: string, keys: ReadonlyMap<string, KeyName>): string {
  for (const [id, { hash, name }] of keys) if (named === id || named === hash || named === name) return id;
  return named;
}

/** What LiteLLM calls `api_key`: the hash, or the id of a key nobody remembers. */
export function apiKeyOf(id: string, keys: ReadonlyMap<string, KeyName>): string {
  return keys.get(id)?.hash ?? id;
}
