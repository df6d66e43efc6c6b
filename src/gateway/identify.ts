import type { KeyRing, RingKey } from '#accounts';
import { bearerToken, type AddressSet } from '#http';
import { ApportionError } from '#terms';
import { keyAccessOf, type Asked, type KeyAccess } from './key-access.ts';
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
  /** Null where the key is held to no route and no address. */
  readonly access: KeyAccess | null;
};

export type IdentifyDeps = {
  readonly keys: () => KeyRing;
  /** Whose word about where a request comes from is taken. */
  readonly trustedProxies: AddressSet;
};

/** `query`: Google's clients may send the key in it. */
export type Identifiable = Asked & { readonly query?: string };

/** The admin key may make calls too; they are booked on a key of that name. */
const ADMIN: Caller = {
  id: 'admin',
  name: 'admin key',
  team: '',
  owner: '',
  models: [],
  attribution: NO_CALLER_ATTRIBUTION,
  access: null,
};

/** Made once per key as it stands; the key ring makes a new object when a key or its team changes. */
const callers = new WeakMap<RingKey, Caller>();

/** Throws where the request has no key that works, or one that may not be used so. */
export function identify(deps: IdentifyDeps, asked: Identifiable): Caller {
  const token = bearerToken(asked.request.headers) ?? new URLSearchParams(asked.query).get('key') ?? undefined;
  if (token === undefined) {
    throw new ApportionError('missing_key', 'The request carries no key.', {
      hint: 'Send Authorization: Bearer sk-ap-….',
    });
  }
  const found = deps.keys().identify(token);
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
  const caller = callerOf(found.key);
  caller.access?.(asked, deps.trustedProxies);
  return caller;
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
    access: keyAccessOf(key),
  };
  callers.set(key, caller);
  return caller;
}
