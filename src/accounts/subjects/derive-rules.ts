import { parseBudgetDuration, type Condition, type Window } from '#budgets';
import { invariant } from '#std';
import { DEFAULT_THRESHOLDS } from '../budgets/budget-request.ts';
import { type BudgetTerms, type LimitTerms } from '../budgets/rule-record.ts';
import { ruleIdOf, scopeOf, type SubjectName } from './subject.ts';
import { type SubjectTerms } from './subject-terms.ts';

/** A subject with what shall hold for it. */
export type GovernedSubject = SubjectName & {
  /** As people know it. */
  readonly label: string;
  readonly terms: SubjectTerms;
  /** Its calls are refused; keys and teams are blocked by what identifies callers. */
  readonly blocked: boolean;
};

export type DerivedRules = { readonly budgets: readonly BudgetTerms[]; readonly limits: readonly LimitTerms[] };

/** The budget that LiteLLM's `max_budget` is. */
export const MAX = 'max';

/** LiteLLM's limits hold within each minute of the clock. */
const MINUTE = { kind: 'window', window: { kind: 'fixed', lengthMs: 60_000 } } as const;

/** Budgets and limits as LiteLLM's fields mean them. The same fields give the same ids: an edit keeps what was counted. */
export function deriveRules(subject: GovernedSubject): DerivedRules {
  return { budgets: budgetsOf(subject), limits: limitsOf(subject) };
}

function budgetsOf(subject: GovernedSubject): readonly BudgetTerms[] {
  const { terms } = subject;
  const budgets: BudgetTerms[] = [];
  const add = (what: string, { limit, duration, ...given }: BudgetGiven): void => {
    budgets.push({
      ...ruleOf(subject, { what, scope: given.scope ?? [] }),
      limit,
      window: windowOf(duration),
      mode: given.mode ?? terms.mode ?? 'standard',
      action: { kind: 'block' },
      outage: 'spend_lease',
      thresholds: given.thresholds ?? DEFAULT_THRESHOLDS,
      raise: null,
    });
  };
  const { maxBudget, softBudget, duration, windows, models } = terms;
  if (maxBudget !== null) add(MAX, { limit: maxBudget, duration });
  if (softBudget !== null) add('soft', { limit: softBudget, duration, mode: 'observe', thresholds: [100] });
  for (const one of windows ?? []) add(`window.${one.duration}`, { limit: one.max, duration: one.duration });
  for (const { model, max, duration: over } of models ?? []) {
    add(`model.${model}`, { limit: max, duration: over, scope: [isModel(model)] });
  }
  return budgets;
}

type BudgetGiven = {
  readonly limit: string;
  readonly duration: string | null;
  readonly scope?: readonly Condition[];
  readonly mode?: BudgetTerms['mode'];
  readonly thresholds?: readonly number[];
};

function limitsOf(subject: GovernedSubject): readonly LimitTerms[] {
  const { terms, blocked } = subject;
  const limits: LimitTerms[] = [];
  const add = (what: string, given: LimitGiven): void => {
    const { measure, amount, scope = [] } = given;
    const pace = measure === 'parallel' ? null : MINUTE;
    limits.push({ ...ruleOf(subject, { what, scope }), measure, amount: String(amount), pace });
  };
  const { rpm, tpm, parallel, modelRpm, modelTpm } = terms;
  if (rpm !== null) add('rpm', { measure: 'requests', amount: rpm });
  if (tpm !== null) add('tpm', { measure: 'tokens', amount: tpm });
  if (parallel !== null) add('parallel', { measure: 'parallel', amount: parallel });
  for (const [model, amount] of Object.entries(modelRpm ?? {})) {
    add(`rpm.${model}`, { measure: 'requests', amount, scope: [isModel(model)] });
  }
  for (const [model, amount] of Object.entries(modelTpm ?? {})) {
    add(`tpm.${model}`, { measure: 'tokens', amount, scope: [isModel(model)] });
  }
  if (blocked) add('blocked', { measure: 'parallel', amount: 0 });
  return limits;
}

type LimitGiven = {
  readonly measure: LimitTerms['measure'];
  readonly amount: number;
  readonly scope?: readonly Condition[];
};

type RulePart = { readonly what: string; readonly scope: readonly Condition[] };

function ruleOf(subject: GovernedSubject, { what, scope }: RulePart): Omit<LimitTerms, 'measure' | 'amount' | 'pace'> {
  const detail = what === MAX ? '' : `, ${what.replace('.', ' ')}`;
  return {
    id: ruleIdOf(subject, what),
    name: `${subject.kind} ${subject.label}${detail}`,
    scope: [...scopeOf(subject), ...scope],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
  };
}

function isModel(model: string): Condition {
  return { on: 'model', values: { kind: 'is', value: model } };
}

function windowOf(duration: string | null): Window {
  if (duration === null) return { kind: 'total' };
  const window = parseBudgetDuration(duration, 'UTC');
  invariant(window !== undefined, `${duration} is a length of time`);
  return window;
}
