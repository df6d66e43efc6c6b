import { z } from 'zod';
import { ApportionError, ROLES, type Role } from '#terms';
import { nameField, parseFields } from '../request-fields.ts';
import { parseTeamId } from '../team-id.ts';

/** Who shall be a member. */
export type MemberNewRequest = {
  readonly kind: 'person' | 'service';
  readonly email: string | null;
  readonly name: string;
  readonly role: Role;
  readonly teams: readonly string[];
};

/** What shall be different about a member; undefined leaves a field as it is. */
export type MemberUpdateRequest = {
  readonly name: string | undefined;
  readonly role: Role | undefined;
  readonly teams: readonly string[] | undefined;
  readonly disabled: boolean | undefined;
};

const teamsField = z.array(nameField).max(200);

const NEW = z.strictObject({
  kind: z.enum(['person', 'service']).default('person'),
  email: z.email().max(254).nullish(),
  name: nameField.nullish(),
  role: z.enum(ROLES),
  teams: teamsField.default([]),
});

const UPDATE = z.strictObject({
  name: nameField.optional(),
  role: z.enum(ROLES).optional(),
  teams: teamsField.optional(),
  disabled: z.boolean().optional(),
});

/** Reads the body of `POST /v1/members`. Throws `invalid_field`. */
export function parseMemberNew(body: unknown): MemberNewRequest {
  const given = parseFields(body, { fields: NEW, refused: new Map() });
  const email = given.email ?? null;
  if (given.kind === 'person' && email === null) throw missing('email', 'A person signs in with an e-mail address.');
  if (given.kind === 'service' && email !== null)
    throw missing('email', 'A service account has none: it never signs in.');
  const name = given.name ?? email;
  if (name === null) throw missing('name', 'Give the service account a name.');
  return { kind: given.kind, email, name, role: given.role, teams: given.teams.map(parseTeamId) };
}

/** Reads the body of `PATCH /v1/members/{id}`: what is absent stays. */
export function parseMemberUpdate(body: unknown): MemberUpdateRequest {
  const { name, role, teams, disabled } = parseFields(body, { fields: UPDATE, refused: new Map() });
  return { name, role, teams: teams?.map(parseTeamId), disabled };
}

function missing(param: string, hint: string): ApportionError {
  return new ApportionError('invalid_field', `${param} cannot be so.`, { param, hint });
}
