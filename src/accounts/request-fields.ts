import { nearestName } from '#std';
import { z } from 'zod';
import { ApportionError, LIMITS } from '#terms';

/** What a name, an alias or an id may be: shown in reports, so no longer than a tag's value. */
export const nameField = z.string().trim().min(1).max(LIMITS.tagValueChars);

/** Fields that LiteLLM knows and we do not hold, each with why: taking one without a word would be a hole in a budget. */
export type Refusals = ReadonlyMap<string, string>;

export function refuseAll(fields: readonly string[], why: string): Refusals {
  return new Map(fields.map((field) => [field, why]));
}

/** Of keys and teams alike. */
export const LIMIT_FIELDS: Refusals = refuseAll(
  ['permissions', 'guardrails', 'enforced_params'],
  'this version does not enforce it',
);

/** Reads a request's fields. Throws `invalid_field` naming the one at fault; an unknown one gets the nearest known name. */
export function parseFields<Shape extends z.ZodRawShape>(
  body: unknown,
  { fields, refused }: { readonly fields: z.ZodObject<Shape>; readonly refused: Refusals },
): z.infer<z.ZodObject<Shape>> {
  const result = fields.safeParse(withoutEmpty(body ?? {}, refused));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys' && issue.path.length === 0) {
    throw unknownField(issue.keys[0] ?? '', Object.keys(fields.shape));
  }
  const path = issue?.path.join('.') ?? '';
  const problem = issue?.message ?? 'invalid';
  throw new ApportionError(
    'invalid_field',
    `${path === '' ? 'The body' : path}: ${problem.endsWith('received undefined') ? 'it is missing' : problem}.`,
    path === '' ? {} : { param: path },
  );
}

function withoutEmpty(body: unknown, refused: Refusals): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const kept: [string, unknown][] = [];
  for (const [field, value] of Object.entries(body)) {
    const why = refused.get(field);
    if (why === undefined) kept.push([field, value]);
    else if (!isEmpty(value)) {
      throw new ApportionError('invalid_field', `${field} cannot be set: ${why}.`, {
        param: field,
        hint: `Leave ${field} out; it would change nothing.`,
      });
    }
  }
  return Object.fromEntries(kept);
}

/** Clients that send every field send `null`, `[]` or `{}` for "no limit". */
function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function unknownField(field: string, known: readonly string[]): ApportionError {
  const nearest = nearestName(field, known);
  const hint = nearest === undefined ? `Known fields: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
  return new ApportionError('invalid_field', `Unknown field ${JSON.stringify(field)}.`, { param: field, hint });
}
