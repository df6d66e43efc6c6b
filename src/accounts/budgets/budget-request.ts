import { z } from 'zod';
import { findBudgetFault, type BudgetAction } from '#budgets';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { parseDuration } from '../expiry.ts';
import { nameField, parseFields } from '../request-fields.ts';
import { toBudgetFields } from './budget-answer.ts';
import { readRuleFields, refuseFault, ruleFields } from './rule-fields.ts';
import { readBudget, type BudgetRecord, type BudgetTerms } from './rule-record.ts';
import { usdField } from './usd-fields.ts';
import { parseWindow } from './window-fields.ts';

/** What a budget shall be. Without id: one is made up; without name: its scope in words. */
export type BudgetRequest = Omit<BudgetTerms, 'id' | 'name' | 'raise'> & {
  readonly id: string | null;
  readonly name: string | null;
};

export const DEFAULT_THRESHOLDS = [50, 80, 100];

const ACTIONS = z.union(
  [z.enum(['block', 'warn']), z.strictObject({ downgrade_to: nameField })],
  '"block", "warn" or {"downgrade_to": "gpt-4o-mini"}',
);

const FIELDS = z.strictObject({
  ...ruleFields,
  limit_usd: usdField,
  window: z.unknown(),
  mode: z.enum(['strict', 'standard', 'observe']).default('standard'),
  action: ACTIONS.default('block'),
  outage: z.enum(['spend_lease', 'refuse']).default('spend_lease'),
  thresholds: z.array(z.number()).max(20).default(DEFAULT_THRESHOLDS),
});

/** Reads the body of `POST /v1/budgets`. Throws `invalid_field` naming the field at fault. */
export function parseBudgetNew(body: unknown): BudgetRequest {
  const given = parseFields(body, { fields: FIELDS, refused: NOT_SET_HERE });
  const request: BudgetRequest = {
    id: given.id ?? null,
    name: given.name ?? null,
    ...readRuleFields(given),
    limit: given.limit_usd,
    window: parseWindow(given.window),
    mode: given.mode,
    action: actionOf(given.action),
    outage: given.outage,
    thresholds: [...new Set(given.thresholds)].toSorted((left, right) => left - right),
  };
  refuseFault(findBudgetFault(readBudget({ ...request, id: '', name: '', raise: null })));
  return request;
}

const NOT_SET_HERE = new Map([['raise', 'POST /v1/budgets/{id}/raise raises a budget for a time']]);

/** Reads the body of `PATCH /v1/budgets/{id}`: what is absent stays. */
export function parseBudgetChange(before: BudgetRecord, body: unknown): BudgetRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return parseBudgetNew(body);
  if ('id' in body && body.id !== before.id) throw fixedId();
  return parseBudgetNew({ ...toBudgetFields(before), ...body });
}

function actionOf(given: z.infer<typeof ACTIONS>): BudgetAction {
  return typeof given === 'string' ? { kind: given } : { kind: 'downgrade', model: given.downgrade_to };
}

export type RaiseRequest = { readonly by: string; readonly until: TimestampMs; readonly reason: string | null };

const RAISE = z.strictObject({
  by_usd: usdField,
  until: z.iso.datetime({ offset: true }).optional(),
  duration: z.string().optional(),
  reason: z.string().trim().min(1).max(1000).optional(),
});

/** Reads the body of `POST /v1/budgets/{id}/raise`: by how much, and until when or for how long. */
export function parseRaise(body: unknown, now: TimestampMs): RaiseRequest {
  const { by_usd: by, until, duration, reason } = parseFields(body, { fields: RAISE, refused: new Map() });
  if ((until === undefined) === (duration === undefined)) {
    throw new ApportionError('invalid_field', 'until: say until when, or for how long.', {
      param: 'until',
      hint: 'Send {"by_usd": "50", "duration": "24h"} or {"by_usd": "50", "until": "2026-12-01T00:00:00Z"}.',
    });
  }
  const end = duration === undefined ? Date.parse(until ?? '') : now + parseDuration(duration, 'duration');
  if (end > now) return { by, until: end as TimestampMs, reason: reason ?? null };
  throw new ApportionError('invalid_field', 'until lies in the past.', { param: 'until' });
}

export function fixedId(): ApportionError {
  return new ApportionError('invalid_field', 'id: it cannot be changed.', {
    param: 'id',
    hint: 'Delete this one and make another; what was spent stays counted, for it belongs to scope and window.',
  });
}
