import { z } from 'zod';
import { findLimitFault } from '#budgets';
import { ApportionError } from '#terms';
import { parseDuration } from '../expiry.ts';
import { parseFields } from '../request-fields.ts';
import { toLimitFields } from './budget-answer.ts';
import { fixedId } from './budget-request.ts';
import { readRuleFields, refuseFault, ruleFields } from './rule-fields.ts';
import { readLimit, type LimitRecord, type LimitTerms } from './rule-record.ts';
import { usdField } from './usd-fields.ts';
import { parseWindow } from './window-fields.ts';

/** What a rate limit shall be. Without id: one is made up; without name: its scope in words. */
export type LimitRequest = Omit<LimitTerms, 'id' | 'name'> & {
  readonly id: string | null;
  readonly name: string | null;
};

const FIELDS = z.strictObject({
  ...ruleFields,
  measure: z.enum(['requests', 'tokens', 'usd', 'parallel']),
  amount: usdField,
  per: z.unknown().optional(),
  burst: usdField.nullish(),
});

const HINT =
  'Send {"measure": "requests", "amount": 60, "per": "minute"}, with "burst" for a steady refill; docs/budgets-api.md.';

/** Reads the body of `POST /v1/limits`. Throws `invalid_field` naming the field at fault. */
export function parseLimitNew(body: unknown): LimitRequest {
  const given = parseFields(body, { fields: FIELDS, refused: new Map() });
  const { measure } = given;
  const request: LimitRequest = {
    id: given.id ?? null,
    name: given.name ?? null,
    ...readRuleFields(given),
    measure,
    amount: unitsField(given.amount, { measure, param: 'amount' }),
    pace: paceOf(given),
  };
  refuseFault(findLimitFault(readLimit({ ...request, id: '', name: '' })), 'per');
  return request;
}

/** Reads the body of `PATCH /v1/limits/{id}`: what is absent stays. */
export function parseLimitChange(before: LimitRecord, body: unknown): LimitRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return parseLimitNew(body);
  if ('id' in body && body.id !== before.id) throw fixedId();
  return parseLimitNew({ ...toLimitFields(before), ...body });
}

function paceOf({ measure, per, burst }: z.infer<typeof FIELDS>): LimitTerms['pace'] {
  const hasBurst = burst !== undefined && burst !== null;
  if (measure === 'parallel') {
    if (per !== undefined && per !== null) throw unfit('per', 'parallel calls are counted now, not over a time');
    if (hasBurst) throw unfit('burst', 'parallel calls have none');
    return null;
  }
  if (per === undefined || per === null) throw unfit('per', 'say over what time: "minute", "hour", "day", "month"');
  if (hasBurst) return { kind: 'bucket', perMs: lengthOf(per), burst: unitsField(burst, { measure, param: 'burst' }) };
  // A minute of the clock is the same everywhere: it needs no time zone.
  const window = per === 'minute' ? ({ kind: 'fixed', lengthMs: 60_000 } as const) : parseWindow(per, 'per');
  if (window.kind === 'rolling') throw unfit('per', 'a limit has no rolling window; "burst" makes it refill steadily');
  return { kind: 'window', window };
}

const LENGTHS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function lengthOf(per: unknown): number {
  if (typeof per !== 'string') throw unfit('per', 'with burst it is a length: "minute", "hour", "day" or "30s"');
  return LENGTHS[per] ?? parseDuration(per, 'per');
}

function unitsField(text: string, { measure, param }: { readonly measure: string; readonly param: string }): string {
  if (measure === 'usd' || !text.includes('.')) return text;
  throw unfit(param, `a whole number of ${measure}`);
}

function unfit(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
