import { ApportionError } from '#terms';
import { type KeyRecord } from './key-record.ts';
import { findKey, type ControlQueries } from './key-table.ts';
import { hashToken } from './token.ts';

/** @param reference a token, its hash, the key's id or its alias; a deleted key is found too */
export async function referencedKey(queries: ControlQueries, reference: string): Promise<KeyRecord> {
  const [column, value] = columnOf(reference);
  const key = await findKey(queries, column, value);
  if (key === undefined) throw unknownKey();
  return key;
}

function columnOf(reference: string): ['id' | 'hash' | 'alias', string] {
  if (reference.startsWith('sk-')) return ['hash', hashToken(reference)];
  if (/^key_[0-9a-f]{20}$/.test(reference)) return ['id', reference];
  return /^[0-9a-f]{64}$/.test(reference) ? ['hash', reference] : ['alias', reference];
}

/** @param self the key that wants the alias, when it exists already */
export async function refuseTakenAlias(
  queries: ControlQueries,
  { alias, self }: { readonly alias: string | null; readonly self: string | null },
): Promise<void> {
  const taken = alias === null ? undefined : await findKey(queries, 'alias', alias);
  if (taken === undefined || taken.deletedAt !== null || taken.id === self) return;
  throw new ApportionError('invalid_field', 'A key with this key_alias exists.', {
    param: 'key_alias',
    hint: 'Reports name keys by their alias; choose another one or delete the other key.',
  });
}

export function unknownKey(): ApportionError {
  return new ApportionError('not_found', 'No such key.', {
    hint: 'Name a key by its token, its hash (token), its id or its alias.',
  });
}
