/**
 * Is: who may call and who may ask: virtual keys, the admin key, sign-in sessions; tables, snapshot and key ring.
 * Owns: tokens, `control.db`, its revision, LiteLLM's key shapes. Not: HTTP routes, budgets, the meaning of a tag.
 * Holds: only hashes are stored; every write raises the revision by one; a write returns after every listener applied it.
 * Fails: `invalid_field` for what a key cannot be, `not_found` for an unknown key; the ring answers, it never throws.
 */
export { NO_ATTRIBUTION, type Attribution } from './attribution.ts';
export { openAccounts, type Accounts, type Bootstrap, type GeneratedKey, type ListOptions } from './accounts.ts';
export { toKeyGenerateAnswer, toKeyInfo, toKeyInfoAnswer } from './key-answer.ts';
export { parseKeyGenerate, type KeyGenerateRequest } from './key-generate.ts';
export { type ControlChange, type ControlSnapshot, type KeyRecord } from './key-record.ts';
export { KeyRing, type Identity, type KnownSnapshot, type RingKey } from './key-ring.ts';
export { readSnapshot, writeSnapshot } from './snapshot-file.ts';
export { type TeamRecord } from './team-record.ts';
export { hashToken, type RandomBytes } from './token.ts';
export { UI_SESSION_MS, type UiSession } from './ui-session.ts';
