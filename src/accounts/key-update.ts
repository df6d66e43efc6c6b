import { z } from 'zod';
import { type TimestampMs } from '#std';
import { expiryAt, parseDuration, parseExpiry, type Expiry } from './expiry.ts';
import { parseAllowedAddresses, parseAllowedRoutes } from './key-access.ts';
import { KEY_REFUSALS, keyFields } from './key-generate.ts';
import { type KeyRecord } from './key-record.ts';
import { nameField, parseFields } from './request-fields.ts';
import { mergeMetadata, type StatedMetadata } from './stated-metadata.ts';
import { spendingOf, type StatedSpending } from './subjects/subject-terms.ts';
import { parseTeamId } from './team-id.ts';

/** What shall be different about a key; undefined leaves a field as it is. */
export type KeyUpdateRequest = {
  /** A token, its hash, the key's id or its alias. */
  readonly key: string;
  readonly alias: string | null | undefined;
  readonly team: string | undefined;
  readonly owner: string | undefined;
  readonly models: readonly string[] | undefined;
  readonly routes: readonly string[] | undefined;
  readonly addresses: readonly string[] | undefined;
  readonly blocked: boolean | undefined;
  readonly expiry: Expiry | undefined;
  readonly stated: StatedMetadata;
  readonly spending: StatedSpending;
};

const fields = z.strictObject({ key: nameField, ...keyFields });

/** A new token for a key, and how long the one before it still counts. */
export type KeyRegenerateRequest = KeyUpdateRequest & { readonly graceMs: number };

const regenerateFields = fields.extend({ grace_period: z.string().nullish() });

/** Reads the body of LiteLLM's `POST /key/regenerate`: an update's fields, and `grace_period`. */
export function parseKeyRegenerate(body: unknown): KeyRegenerateRequest {
  const { grace_period: grace, ...given } = parseFields(body, { fields: regenerateFields, refused: KEY_REFUSALS });
  const graceMs = grace === undefined || grace === null ? 0 : parseDuration(grace, 'grace_period');
  return { ...toUpdate(given), graceMs };
}

/** Reads the body of LiteLLM's `POST /key/update`: what is absent stays, `null` empties. */
export function parseKeyUpdate(body: unknown): KeyUpdateRequest {
  return toUpdate(parseFields(body, { fields, refused: KEY_REFUSALS }));
}

function toUpdate(given: z.infer<typeof fields>): KeyUpdateRequest {
  return {
    key: given.key,
    alias: given.key_alias,
    team: given.team_id === undefined ? undefined : parseTeamId(given.team_id ?? ''),
    owner: given.user_id === null ? '' : given.user_id,
    models: given.models === null ? [] : given.models,
    routes: given.allowed_routes === undefined ? undefined : parseAllowedRoutes(given.allowed_routes ?? []),
    addresses: given.allowed_ips === undefined ? undefined : parseAllowedAddresses(given.allowed_ips ?? []),
    blocked: given.blocked === null ? false : given.blocked,
    expiry: parseExpiry(given),
    stated: given,
    spending: spendingOf(given),
  };
}

/** The key after the update, but for its revision. Throws where its tags, locks or policy would break the rules. */
export function updatedKey(key: KeyRecord, request: KeyUpdateRequest, now: TimestampMs): KeyRecord {
  const alias = request.alias === undefined ? key.alias : request.alias;
  return {
    ...key,
    alias,
    name: nameOf(key, alias),
    team: request.team ?? key.team,
    owner: request.owner ?? key.owner,
    models: request.models ?? key.models,
    routes: request.routes ?? key.routes,
    addresses: request.addresses ?? key.addresses,
    blocked: request.blocked ?? key.blocked,
    expiresAt: request.expiry === undefined ? key.expiresAt : expiryAt(request.expiry, now),
    metadata: mergeMetadata(key.metadata, request.stated),
  };
}

/** Reports name a key by its alias; a key that loses it is shown by its token again. */
function nameOf(key: KeyRecord, alias: string | null): string {
  if (alias !== null) return alias;
  return key.alias === null ? key.name : key.shown;
}
