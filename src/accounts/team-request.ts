import { z } from 'zod';
import { ApportionError } from '#terms';
import { LIMIT_FIELDS, nameField, parseFields, refuseAll, type Refusals } from './request-fields.ts';
import { mergeMetadata, metadataFields, type Metadata, type StatedMetadata } from './stated-metadata.ts';
import { raiseFields, termsFields, spendingOf, type StatedSpending } from './subjects/subject-terms.ts';
import { parseTeamId } from './team-id.ts';

/** What a new team shall be. */
export type TeamNewRequest = {
  /** Null: its alias, or a made-up one. */
  readonly id: string | null;
  readonly alias: string | null;
  readonly metadata: Metadata;
  readonly blocked: boolean;
  readonly spending: StatedSpending;
};

/** What shall be different about a team; undefined leaves a field as it is. */
export type TeamUpdateRequest = {
  readonly id: string;
  readonly alias: string | null | undefined;
  readonly blocked: boolean | undefined;
  readonly stated: StatedMetadata;
  readonly spending: StatedSpending;
};

const teamFields = {
  team_alias: nameField.nullish(),
  blocked: z.boolean().nullish(),
  ...metadataFields,
  ...termsFields,
  ...raiseFields,
};

const newFields = z.strictObject({ team_id: nameField.nullish(), ...teamFields });

const updateFields = z.strictObject({ team_id: nameField, ...teamFields });

const TEAM_REFUSALS: Refusals = new Map([
  ...LIMIT_FIELDS,
  ...refuseAll(
    ['models', 'model_aliases', 'team_member_budget', 'team_member_rpm_limit', 'team_member_tpm_limit'],
    'this version does not enforce it',
  ),
  ...refuseAll(
    ['organization_id', 'admins', 'members', 'members_with_roles'],
    'this version has neither users nor organizations',
  ),
]);

/** Reads the body of LiteLLM's `POST /team/new`. Throws `invalid_field`, or a tag error for tags and locks. */
export function parseTeamNew(body: unknown): TeamNewRequest {
  const given = parseFields(body, { fields: newFields, refused: TEAM_REFUSALS });
  return {
    id: given.team_id === undefined || given.team_id === null ? null : parseKnownTeamId(given.team_id),
    alias: given.team_alias ?? null,
    metadata: mergeMetadata({}, given),
    blocked: given.blocked ?? false,
    spending: spendingOf(given),
  };
}

/** Reads the body of LiteLLM's `POST /team/update`: what is absent stays, `null` empties. */
export function parseTeamUpdate(body: unknown): TeamUpdateRequest {
  const given = parseFields(body, { fields: updateFields, refused: TEAM_REFUSALS });
  return {
    id: given.team_id,
    alias: given.team_alias,
    blocked: given.blocked === null ? false : given.blocked,
    stated: given,
    spending: spendingOf(given),
  };
}

function parseKnownTeamId(team: string): string {
  const id = parseTeamId(team);
  if (id !== '') return id;
  throw new ApportionError('invalid_field', 'team_id is empty.', { param: 'team_id' });
}
