import { type TimestampMs } from '#std';
import { type PicoUsd } from '#terms';
import { type Rule } from './scope-index.ts';
import { plainScope, scopeKey, type ScopedCall } from './scope.ts';
import { windowKey, type Window } from './window.ts';

/** `strict` holds the most a call can cost, `standard` what it will probably cost; `observe` never refuses. */
export type BudgetMode = 'strict' | 'standard' | 'observe';

/** What a budget that several nodes share does while they cannot ask each other: admit what the node's lease has left, or nothing. */
export type BudgetOutage = 'spend_lease' | 'refuse';

/** What happens to a call that does not fit. */
export type BudgetAction =
  | { readonly kind: 'block' }
  | { readonly kind: 'warn' }
  | { readonly kind: 'downgrade'; readonly model: string };

export type Budget = Rule & {
  readonly name: string;
  /** For each window, and for each value of an `each`. */
  readonly limit: PicoUsd;
  readonly window: Window;
  readonly mode: BudgetMode;
  readonly action: BudgetAction;
  readonly outage: BudgetOutage;
  /** Whole percents of the limit whose crossing is told. */
  readonly thresholds: readonly number[];
  /** What the limit is raised by, until then, exclusive. */
  readonly raise: { readonly by: PicoUsd; readonly until: TimestampMs } | null;
};

export function limitAt(budget: Budget, at: TimestampMs): PicoUsd {
  const { raise, limit } = budget;
  return raise !== null && at < raise.until ? ((limit + raise.by) as PicoUsd) : limit;
}

/** Budgets with the same key count the same money over the same time: limit, mode, name and dates are not in it. */
export function budgetSeriesKey(budget: Budget): string {
  return `${scopeKey(plainScope(budget.scope))} ${budget.counts} ${windowKey(budget.window)}`;
}

/** A budget whose refusal stands. A `standard` one lets the cheaper model it asks for go on. */
export function isEnforced(budget: Budget, call: ScopedCall): boolean {
  if (budget.mode === 'observe' || budget.action.kind === 'warn') return false;
  return !(budget.mode === 'standard' && asksFor(budget.action, call));
}

/** Whether the call is of the cheaper model that a budget asks for: by its route's name, its own, or the provider's and its own. */
export function asksFor(action: BudgetAction, { route, model, provider }: ScopedCall): boolean {
  if (action.kind !== 'downgrade') return false;
  return action.model === model || action.model === route || action.model === `${provider}/${model}`;
}
