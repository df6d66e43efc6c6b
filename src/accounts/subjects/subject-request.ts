import { z } from 'zod';
import { type TimestampMs } from '#std';
import { parseTag } from '#tags';
import { ApportionError } from '#terms';
import { nameField, parseFields, refuseAll, type Refusals } from '../request-fields.ts';
import { planFields, raiseFields, readRaise, termsFields, type StatedTerms, type TermsRaise } from './subject-terms.ts';
import { type SubjectProfile } from './subject-table.ts';

/** What is said of a customer or a user; what is absent stays. */
export type SubjectRequest = {
  readonly id: string;
  readonly profile: Partial<SubjectProfile>;
  readonly stated: StatedTerms;
  readonly raise: TermsRaise;
};

export type PlanRequest = { readonly id: string; readonly stated: StatedTerms };

const describing = {
  alias: nameField.nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  ...termsFields,
  ...raiseFields,
};

const CUSTOMER = z.strictObject({ user_id: nameField, blocked: z.boolean().nullish(), ...describing });

const CUSTOMER_REFUSALS: Refusals = new Map([
  ...refuseAll(
    ['allowed_model_region', 'default_model', 'object_permission'],
    'this version routes no call by its customer',
  ),
  ...refuseAll(
    ['spend', 'budget_reset_at'],
    'it follows from the ledger; POST /v1/adjustments corrects what was spent',
  ),
]);

/** Reads the body of LiteLLM's `POST /customer/new` and `/customer/update`. */
export function parseCustomer(body: unknown, now: TimestampMs): SubjectRequest {
  const {
    user_id: id,
    blocked,
    alias,
    metadata,
    ...given
  } = parseFields(body, {
    fields: CUSTOMER,
    refused: CUSTOMER_REFUSALS,
  });
  return {
    id: parseCustomerId(id),
    profile: {
      ...(alias === undefined ? {} : { alias }),
      ...(metadata === undefined ? {} : { metadata: metadata ?? {} }),
      ...(blocked === undefined ? {} : { blocked: blocked ?? false }),
    },
    stated: given,
    raise: readRaise(given, now),
  };
}

/** The value that the dimension `customer` of its calls has. */
export function parseCustomerId(text: string): string {
  const tag = parseTag(`customer:${text}`, 'user_id');
  if (tag?.kind === 'dimension') return tag.value;
  throw new ApportionError('invalid_field', 'user_id: no value that the tag customer can have.', { param: 'user_id' });
}

/** A new user, and the key that LiteLLM makes with it unless it is told not to. */
export type UserNewRequest = SubjectRequest & {
  readonly key: Readonly<Record<string, unknown>> | null;
};

const USER = z.strictObject({
  user_id: nameField.optional(),
  user_email: z.email().max(254).nullish(),
  user_alias: nameField.nullish(),
  user_role: z.enum(['internal_user', 'internal_user_viewer']).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  ...termsFields,
  ...raiseFields,
});

const USER_NEW = USER.extend({
  auto_create_key: z.boolean().nullish(),
  key_alias: nameField.nullish(),
  team_id: nameField.nullish(),
  models: z.array(nameField).nullish(),
  duration: z.string().nullish(),
});

const USER_REFUSALS: Refusals = new Map([
  ...refuseAll(
    ['teams', 'organizations', 'organization_id'],
    'a key belongs to a team, a user does not; send team_id for the key',
  ),
  ...refuseAll(['send_invite_email', 'sso_user_id'], 'people who sign in are members: POST /v1/members invites them'),
  ...refuseAll(
    ['spend', 'budget_reset_at'],
    'it follows from the ledger; POST /v1/adjustments corrects what was spent',
  ),
  ...refuseAll(['permissions', 'guardrails', 'aliases', 'config', 'blocked'], 'this version does not enforce it'),
]);

/** Reads the body of LiteLLM's `POST /user/new`. @param madeId the id where none is sent */
export function parseUserNew(
  body: unknown,
  { now, madeId }: { readonly now: TimestampMs; readonly madeId: string },
): UserNewRequest {
  const { auto_create_key: makesKey, ...given } = parseFields(withoutFalse(body), {
    fields: USER_NEW,
    refused: USER_REFUSALS,
  });
  const { key_alias, team_id, models, duration, ...said } = given;
  const id = said.user_id ?? madeId;
  const key = { user_id: id, key_alias, team_id, models, duration };
  return { ...userOf(id, said, now), key: makesKey === false ? null : key };
}

/** Reads the body of LiteLLM's `POST /user/update`. */
export function parseUserUpdate(body: unknown, now: TimestampMs): SubjectRequest {
  const given = parseFields(body, { fields: USER, refused: USER_REFUSALS });
  if (given.user_id !== undefined) return userOf(given.user_id, given, now);
  throw new ApportionError('invalid_field', 'user_id is missing.', { param: 'user_id' });
}

function userOf(id: string, given: z.infer<typeof USER>, now: TimestampMs): SubjectRequest {
  const { user_email: email, user_alias: alias, metadata } = given;
  return {
    id,
    profile: {
      ...(email === undefined ? {} : { email }),
      ...(alias === undefined ? {} : { alias }),
      ...(metadata === undefined ? {} : { metadata: metadata ?? {} }),
    },
    stated: given,
    raise: readRaise(given, now),
  };
}

/** LiteLLM's clients send every switch; one that is off asks for nothing. */
function withoutFalse(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(
    Object.entries(body).filter(([field, value]) => !(value === false && USER_REFUSALS.has(field))),
  );
}

const PLAN = z.strictObject({ budget_id: nameField.optional(), ...planFields });

const PLAN_REFUSALS: Refusals = refuseAll(['budget_reset_at'], 'it follows from budget_duration');

/** Reads the body of LiteLLM's `POST /budget/new` and `/budget/update`. @param madeId the id where none is sent; null: one must be */
export function parsePlan(body: unknown, madeId: string | null): PlanRequest {
  const { budget_id: given, ...stated } = parseFields(body, { fields: PLAN, refused: PLAN_REFUSALS });
  const id = given ?? madeId;
  if (id === null) throw new ApportionError('invalid_field', 'budget_id is missing.', { param: 'budget_id' });
  return { id, stated };
}
