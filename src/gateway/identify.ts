import type { IncomingHttpHeaders } from 'node:http';
import type { KeyRing } from '#accounts';
import { bearerToken } from '#http';
import { NO_TAGS, type TagDeclaration } from '#tags';
import { ApportionError } from '#terms';

/** Who makes a call, as its key proves it. */
export type Caller = {
  readonly id: string;
  readonly name: string;
  readonly team: string;
  readonly owner: string;
  /** Empty: any model. */
  readonly models: readonly string[];
  readonly defaults: TagDeclaration;
};

/** The admin key may make calls too; they are booked on a key of that name. */
const ADMIN: Caller = { id: 'admin', name: 'admin key', team: '', owner: '', models: [], defaults: NO_TAGS };

export function identify(keys: KeyRing, headers: IncomingHttpHeaders): Caller {
  const token = bearerToken(headers);
  if (token === undefined) {
    throw new ApportionError('missing_key', 'The request carries no key.', {
      hint: 'Send Authorization: Bearer sk-ap-….',
    });
  }
  const found = keys.identify(token);
  if (found === undefined) {
    throw new ApportionError('invalid_key', 'This key is not known.', {
      hint: 'It may have been deleted, or belong to another server. The admin can make one with POST /key/generate.',
    });
  }
  if (found.kind === 'admin') return ADMIN;
  if (found.state === 'expired')
    throw new ApportionError('key_expired', 'This key has expired.', { hint: 'Ask the admin for a new one.' });
  if (found.state === 'blocked')
    throw new ApportionError('key_blocked', 'This key is blocked.', { hint: 'Ask the admin to unblock it.' });
  const { key } = found;
  return {
    id: key.id,
    name: key.name,
    team: key.team,
    owner: key.owner,
    models: key.models,
    defaults: key.defaultTags,
  };
}
