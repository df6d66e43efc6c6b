import { parseBudgetDuration, windowAt } from '#budgets';
import { type TimestampMs } from '#std';
import { formatUsd, parseUsd, usdNumber, type PicoUsd } from '#terms';
import { toIso } from '../key-answer.ts';
import { type SubjectName } from './subject.ts';
import { NO_TERMS, type SubjectTerms } from './subject-terms.ts';
import { type BudgetPlan, type SubjectRecord } from './subject-table.ts';

/** What a subject's answer says of budgets, limits and spending. */
export type Figures = Readonly<Record<string, unknown>>;

/** The figures of any subject, loaded for one answer. */
export type FiguresOf = (subject: SubjectName) => Figures;

export type Spent = {
  /** Null when nobody can say. */
  readonly spend: PicoUsd | null;
  readonly now: TimestampMs;
};

/** LiteLLM's fields: null is its way to say "none". `spend` is of the window of `budget_duration`, without one of all time. */
export function toFigures(terms: SubjectTerms | undefined, { spend, now }: Spent): Figures {
  const held = terms ?? NO_TERMS;
  return {
    spend: spend === null ? null : usdNumber(spend),
    spend_exact: spend === null ? null : formatUsd(spend),
    ...toPlanFields(held),
    budget_id: held.planId,
    budget_reset_at: resetOf(held.duration, now),
    budget_limits:
      held.windows?.map((one) => ({ max_budget: numberOf(one.max), budget_duration: one.duration })) ?? null,
    model_rpm_limit: held.modelRpm,
    model_tpm_limit: held.modelTpm,
  };
}

function toPlanFields(terms: SubjectTerms): Figures {
  return {
    max_budget: numberOf(terms.maxBudget),
    soft_budget: numberOf(terms.softBudget),
    budget_duration: terms.duration,
    model_max_budget:
      terms.models === null
        ? null
        : Object.fromEntries(
            terms.models.map(({ model, max, duration }) => [
              model,
              { max_budget: numberOf(max), budget_duration: duration },
            ]),
          ),
    tpm_limit: terms.tpm,
    rpm_limit: terms.rpm,
    max_parallel_requests: terms.parallel,
    budget_mode: terms.mode,
  };
}

/** LiteLLM's answer to `POST /budget/new`, and a budget in every other answer. */
export function toPlanInfo(plan: BudgetPlan, now: TimestampMs): Figures {
  return {
    budget_id: plan.id,
    ...toPlanFields(plan.terms),
    budget_reset_at: resetOf(plan.terms.duration, now),
    created_at: toIso(plan.createdAt),
    created_by: plan.createdBy,
    updated_at: toIso(plan.updatedAt),
    updated_by: plan.updatedBy,
  };
}

/** LiteLLM's end user. */
export function toCustomerInfo({ id, profile, createdAt }: SubjectRecord, figures: Figures): Figures {
  const { alias, metadata, blocked } = profile;
  const { max_budget, soft_budget, budget_duration, budget_reset_at, tpm_limit, rpm_limit } = figures;
  const { max_parallel_requests, model_max_budget, budget_id } = figures;
  const table = { budget_id, max_budget, soft_budget, budget_duration, budget_reset_at };
  const limits = { tpm_limit, rpm_limit, max_parallel_requests, model_max_budget };
  return {
    user_id: id,
    alias,
    blocked,
    metadata,
    created_at: toIso(createdAt),
    ...figures,
    litellm_budget_table: { ...table, ...limits },
  };
}

/** LiteLLM's internal user: somebody who owns keys. */
export function toUserInfo({ id, profile, createdAt }: SubjectRecord, figures: Figures): Figures {
  const { alias, email, metadata } = profile;
  return {
    user_id: id,
    user_email: email,
    user_alias: alias,
    user_role: 'internal_user',
    teams: [],
    metadata,
    created_at: toIso(createdAt),
    ...figures,
  };
}

function resetOf(duration: string | null, now: TimestampMs): string | null {
  const window = duration === null ? undefined : parseBudgetDuration(duration, 'UTC');
  return window === undefined ? null : toIso(windowAt(window, now).end);
}

function numberOf(usd: string | null): number | null {
  const amount = usd === null ? undefined : parseUsd(usd);
  return amount === undefined ? null : usdNumber(amount);
}
