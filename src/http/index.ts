/**
 * Is: what every HTTP door of ours does alike: body, token, target, error answer.
 * Owns: their limits and forms on the wire. Not: routes, sessions or who may do what.
 * Holds: no body is larger than its limit, and none is awaited longer than its time.
 * Fails: `ApportionError` for what the client can mend; `ClientGoneError` when nobody is left to answer.
 */
export { addressSetOf, parseAddressSet, type AddressSet } from './address-set.ts';
export { bearerToken } from './bearer-token.ts';
export { decodeBody } from './decode-body.ts';
export { ClientGoneError, readBody, type BodyLimits } from './read-body.ts';
export { clientAddress } from './client-address.ts';
export { sendError } from './send-error.ts';
export { isTwisted, parseTarget, withoutApiPrefix, type Target } from './target.ts';
