import { z } from 'zod';
import { parseBudgetDuration, type BudgetMode } from '#budgets';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { usdField } from '../budgets/usd-fields.ts';
import { parseDuration } from '../expiry.ts';
import { nameField } from '../request-fields.ts';

/** LiteLLM's words for budgets and limits, as they are stored. Null: none. */
export type SubjectTerms = {
  /** A plan whose terms hold where the own ones are null. */
  readonly planId: string | null;
  readonly maxBudget: string | null;
  readonly softBudget: string | null;
  readonly duration: string | null;
  /** Further windows. */
  readonly windows: readonly { readonly max: string; readonly duration: string }[] | null;
  readonly models: readonly ModelBudget[] | null;
  readonly mode: BudgetMode | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly parallel: number | null;
  readonly modelRpm: Readonly<Record<string, number>> | null;
  readonly modelTpm: Readonly<Record<string, number>> | null;
};

type ModelBudget = { readonly model: string; readonly max: string; readonly duration: string | null };

export const NO_TERMS: SubjectTerms = {
  planId: null,
  maxBudget: null,
  softBudget: null,
  duration: null,
  windows: null,
  models: null,
  mode: null,
  rpm: null,
  tpm: null,
  parallel: null,
  modelRpm: null,
  modelTpm: null,
};

const model = z.object({ model: z.string(), max: z.string(), duration: z.string().nullable() });

/** As they are stored. */
export const termsSchema = z.object({
  planId: z.string().nullable(),
  maxBudget: z.string().nullable(),
  softBudget: z.string().nullable(),
  duration: z.string().nullable(),
  windows: z.array(z.object({ max: z.string(), duration: z.string() })).nullable(),
  models: z.array(model).nullable(),
  mode: z.enum(['strict', 'standard', 'observe']).nullable(),
  rpm: z.number().nullable(),
  tpm: z.number().nullable(),
  parallel: z.number().nullable(),
  modelRpm: z.record(z.string(), z.number()).nullable(),
  modelTpm: z.record(z.string(), z.number()).nullable(),
});

/** LiteLLM writes -1 nowhere and null for "none"; zero refuses everything. */
const units = z.int().min(0);

const duration = z.string().refine((text) => parseBudgetDuration(text, 'UTC') !== undefined, {
  message: 'no length of time; write "30s", "30m", "30h", "30d", "1mo" or the like',
});

const modelBudget = z.strictObject({
  max_budget: usdField.optional(),
  budget_duration: duration.nullish(),
  /** LiteLLM's older names. */
  budget_limit: usdField.optional(),
  time_period: duration.nullish(),
});

/** What plans have too. */
export const planFields = {
  max_budget: usdField.nullish(),
  soft_budget: usdField.nullish(),
  budget_duration: duration.nullish(),
  model_max_budget: z.record(nameField, z.union([modelBudget, usdField])).nullish(),
  tpm_limit: units.nullish(),
  rpm_limit: units.nullish(),
  max_parallel_requests: units.nullish(),
  budget_mode: z.enum(['strict', 'standard', 'observe']).nullish(),
};

/** Fields that keys, teams, tags, customers and users share. */
export const termsFields = {
  ...planFields,
  budget_id: nameField.nullish(),
  budget_limits: z
    .array(z.strictObject({ max_budget: usdField, budget_duration: duration }))
    .max(20)
    .nullish(),
  model_rpm_limit: z.record(nameField, units).nullish(),
  model_tpm_limit: z.record(nameField, units).nullish(),
};

/** Only where there is one budget to raise. */
export const raiseFields = { temp_budget_increase: usdField.nullish(), temp_budget_expiry: z.string().nullish() };

export type StatedTerms = Partial<z.infer<z.ZodObject<typeof termsFields>>>;

type StatedRaise = Partial<z.infer<z.ZodObject<typeof raiseFields>>>;

/** What a request says of budgets and limits. */
export type StatedSpending = StatedTerms & StatedRaise;

const SPENDING_FIELDS = z.object({ ...termsFields, ...raiseFields }).keyof().options;

/** Of a request's fields, those about budgets and limits that it has. */
export function spendingOf(given: StatedSpending): StatedSpending {
  const said = SPENDING_FIELDS.filter((field) => given[field] !== undefined);
  return Object.fromEntries(said.map((field) => [field, given[field]]));
}

/** The terms after a request: what is absent stays, null takes away. Throws `invalid_field` for what means nothing. */
export function mergeTerms(before: SubjectTerms, stated: StatedTerms): SubjectTerms {
  const keep = <T>(given: T | undefined, other: T): T => (given === undefined ? other : given);
  const after: SubjectTerms = {
    planId: keep(stated.budget_id, before.planId),
    maxBudget: keep(stated.max_budget, before.maxBudget),
    softBudget: keep(stated.soft_budget, before.softBudget),
    duration: keep(stated.budget_duration, before.duration),
    windows: keep(windowsOf(stated.budget_limits), before.windows),
    models: keep(modelsOf(stated.model_max_budget), before.models),
    mode: keep(stated.budget_mode, before.mode),
    rpm: keep(stated.rpm_limit, before.rpm),
    tpm: keep(stated.tpm_limit, before.tpm),
    parallel: keep(stated.max_parallel_requests, before.parallel),
    modelRpm: keep(stated.model_rpm_limit, before.modelRpm),
    modelTpm: keep(stated.model_tpm_limit, before.modelTpm),
  };
  return after;
}

function windowsOf(given: StatedTerms['budget_limits']): SubjectTerms['windows'] | undefined {
  if (given === undefined || given === null) return given;
  return given.map((one) => ({ max: one.max_budget, duration: one.budget_duration }));
}

function modelsOf(given: StatedTerms['model_max_budget']): SubjectTerms['models'] | undefined {
  if (given === undefined || given === null) return given;
  return Object.entries(given).map(([name, said]) => {
    if (typeof said === 'string') return { model: name, max: said, duration: null };
    const max = said.max_budget ?? said.budget_limit;
    const param = `model_max_budget.${name}.max_budget`;
    if (max === undefined) throw new ApportionError('invalid_field', `${param} is missing.`, { param });
    return { model: name, max, duration: said.budget_duration ?? said.time_period ?? null };
  });
}

/** The terms that hold: the plan's where the own ones say nothing. */
export function effectiveTerms(own: SubjectTerms, plan: SubjectTerms | null): SubjectTerms {
  if (plan === null) return own;
  return {
    planId: own.planId,
    maxBudget: own.maxBudget ?? plan.maxBudget,
    softBudget: own.softBudget ?? plan.softBudget,
    duration: own.duration ?? plan.duration,
    windows: own.windows,
    models: own.models ?? plan.models,
    mode: own.mode ?? plan.mode,
    rpm: own.rpm ?? plan.rpm,
    tpm: own.tpm ?? plan.tpm,
    parallel: own.parallel ?? plan.parallel,
    modelRpm: own.modelRpm,
    modelTpm: own.modelTpm,
  };
}

/** A temporary raise; null ends it, undefined leaves it. */
export type TermsRaise = { readonly by: string; readonly until: TimestampMs } | null | undefined;

/** Reads LiteLLM's `temp_budget_increase` and `temp_budget_expiry` (a length of time, or an instant). */
export function readRaise(stated: StatedRaise, now: TimestampMs): TermsRaise {
  const { temp_budget_increase: by, temp_budget_expiry: expiry } = stated;
  if (by === undefined && expiry === undefined) return undefined;
  if (by === null || by === undefined || expiry === null || expiry === undefined) {
    if ((by ?? null) === null && (expiry ?? null) === null) return null;
    const param = (by ?? null) === null ? 'temp_budget_increase' : 'temp_budget_expiry';
    throw new ApportionError('invalid_field', `${param} is missing: a raise has an amount and an end.`, { param });
  }
  const until = /^\d{4}-/.test(expiry) ? Date.parse(expiry) : now + parseDuration(expiry, 'temp_budget_expiry');
  if (until > now) return { by, until: until as TimestampMs };
  const param = 'temp_budget_expiry';
  throw new ApportionError('invalid_field', `${param} is no instant to come.`, { param });
}
