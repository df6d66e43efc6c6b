import { z } from 'zod';
import { expiryFields, parseExpiry, type Expiry } from './expiry.ts';
import { accessFields, parseAllowedAddresses, parseAllowedRoutes } from './key-access.ts';
import { LIMIT_FIELDS, nameField, parseFields, type Refusals } from './request-fields.ts';
import { mergeMetadata, metadataFields, type Metadata } from './stated-metadata.ts';
import { raiseFields, termsFields, spendingOf, type StatedSpending } from './subjects/subject-terms.ts';
import { parseTeamId } from './team-id.ts';

/** What a new key shall be. */
export type KeyGenerateRequest = {
  readonly alias: string | null;
  /** Shown in reports when there is no alias. */
  readonly name: string | null;
  readonly team: string;
  readonly owner: string;
  readonly models: readonly string[];
  readonly routes: readonly string[];
  readonly addresses: readonly string[];
  readonly metadata: Metadata;
  readonly blocked: boolean;
  readonly expiry: Expiry;
  /** Its budgets and limits. */
  readonly spending: StatedSpending;
};

export const keyFields = {
  key_alias: nameField.nullish(),
  team_id: nameField.nullish(),
  user_id: nameField.nullish(),
  models: z.array(nameField).max(1000).nullish(),
  ...accessFields,
  ...expiryFields,
  ...metadataFields,
  ...termsFields,
  ...raiseFields,
  blocked: z.boolean().nullish(),
};

const fields = z.strictObject({ ...keyFields, key_name: nameField.nullish() });

export const KEY_REFUSALS: Refusals = new Map(LIMIT_FIELDS);

/** Reads the body of LiteLLM's `POST /key/generate`. Throws `invalid_field`, or a tag error for tags and locks. */
export function parseKeyGenerate(body: unknown): KeyGenerateRequest {
  const given = parseFields(body, { fields, refused: KEY_REFUSALS });
  return {
    alias: given.key_alias ?? null,
    name: given.key_name ?? null,
    team: parseTeamId(given.team_id ?? ''),
    owner: given.user_id ?? '',
    models: given.models ?? [],
    routes: parseAllowedRoutes(given.allowed_routes ?? []),
    addresses: parseAllowedAddresses(given.allowed_ips ?? []),
    // Checked here, where the person who wrote them is told; the ring reads them again.
    metadata: mergeMetadata({}, given),
    blocked: given.blocked ?? false,
    expiry: parseExpiry(given) ?? { kind: 'never' },
    spending: spendingOf(given),
  };
}
