import { z } from 'zod';
import { type Counts, type Scope } from '#budgets';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { nameField } from '../request-fields.ts';
import { parseScope } from './scope-fields.ts';

/** Fields that budgets and limits share. */
export const ruleFields = {
  id: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,127}$/,
      'letters, digits and _ . : / @ -, at most 128, a letter or digit first',
    )
    .optional(),
  name: nameField.nullish(),
  scope: z.unknown().optional(),
  counts: z.enum(['declared', 'proven', 'locked']).default('declared'),
  effective_from: z.iso.datetime({ offset: true }).nullish(),
  effective_to: z.iso.datetime({ offset: true }).nullish(),
};

export type RuleFields = {
  readonly scope: Scope;
  readonly counts: Counts;
  readonly effectiveFrom: TimestampMs | null;
  readonly effectiveTo: TimestampMs | null;
};

type GivenRule = {
  readonly scope?: unknown;
  readonly counts: Counts;
  readonly effective_from?: string | null | undefined;
  readonly effective_to?: string | null | undefined;
};

export function readRuleFields(given: GivenRule): RuleFields {
  return {
    scope: parseScope(given.scope ?? {}),
    counts: given.counts,
    effectiveFrom: instant(given.effective_from),
    effectiveTo: instant(given.effective_to),
  };
}

function instant(text: string | null | undefined): TimestampMs | null {
  return text === undefined || text === null ? null : (Date.parse(text) as TimestampMs);
}

/** The field that a fault found by #budgets is about. */
const FAULTY: readonly (readonly [RegExp, string])[] = [
  [/threshold/i, 'thresholds'],
  [/time zone/, 'window.timezone'],
  [/number of days|number of months/, 'window.count'],
  [/week starts|month starts/, 'window.starts_on'],
  [/year starts/, 'window.starts_on_month'],
  [/The window/, 'window.length'],
  [/The period/, 'per'],
  [/burst/, 'burst'],
  [/amount/, 'amount'],
  [/limit/, 'limit_usd'],
  [/raise/, 'by_usd'],
  [/only warns/, 'action'],
  [/ends before/, 'effective_to'],
  [/provenance/, 'counts'],
];

/** Throws `invalid_field` for what is wrong with a rule, naming the field. @param window what the rule's window is called */
export function refuseFault(fault: string | null, window: 'window' | 'per' = 'window'): void {
  if (fault === null) return;
  const found = FAULTY.find(([words]) => words.test(fault))?.[1] ?? 'scope';
  const param = found.replace(/^window\b/, window);
  throw new ApportionError('invalid_field', `${param}: ${fault}`, {
    param,
    hint: 'docs/budgets-api.md lists the fields.',
  });
}
