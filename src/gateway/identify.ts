import type { IncomingHttpHeaders } from 'node:http';
import type { KeyRing, RingKey } from '#accounts';
import { bearerToken } from '#http';
import { ApportionError } from '#terms';
import { NO_CALLER_ATTRIBUTION, type CallerAttribution } from './tagging.ts';

/** Who makes a call, as its key proves it. */
export type Caller = {
  readonly id: string;
  readonly name: string;
  readonly team: string;
  readonly owner: string;
  /** Empty for all models. */
  readonly models: readonly string[];
  readonly attribution: CallerAttribution;
};

/** The admin key may make calls too; they are booked on a key of that name. */
const ADMIN: Caller = {
  id: 'admin',
  name: 'admin key',
  team: '',
  owner: '',
  models: [],
  attribution: NO_CALLER_ATTRIBUTION,
};

const NO_QUERY = { query: '' };

/** Made once per key as it stands; the key ring makes a new object when a key or its team changes. */
const callers = new WeakMap<RingKey, Caller>();

/** @param target Google's clients may send the key in the query */
export function identify(keys: KeyRing, headers: IncomingHttpHeaders, target: { query: string } = NO_QUERY): Caller {
  const token = bearerToken(headers) ?? new URLSearchParams(target.query).get('key') ?? undefined;
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
  return callerOf(found.key);
}

function callerOf(key: RingKey): Caller {
  const known = callers.get(key);
  if (known !== undefined) return known;
  const caller: Caller = {
    id: key.id,
    name: key.name,
    team: key.team,
    owner: key.owner,
    models: key.models,
    attribution: { own: key, team: key.ofTeam },
  };
  callers.set(key, caller);
  return caller;
}
