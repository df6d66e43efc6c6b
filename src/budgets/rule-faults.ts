import { parseTimeZone } from '#std';
import { type Budget } from './budget.ts';
import { type RateLimit } from './rate-limit.ts';
import { type Rule } from './scope-index.ts';
import { type Window } from './window.ts';

/** A century: longer windows and periods are typing errors, and far beyond dates end. */
const LONGEST_MS = 100 * 366 * 86_400_000;

/** What is wrong with a budget as a sentence, or null. `BudgetBook` takes only budgets without a fault. */
export function findBudgetFault(budget: Budget): string | null {
  const { limit, raise, thresholds, mode, action } = budget;
  if (limit < 0n) return 'The limit is negative.';
  if (raise !== null && raise.by < 0n) return 'A raise is not negative.';
  if (!thresholds.every((one) => Number.isSafeInteger(one) && one > 0)) return 'Thresholds are whole percents above 0.';
  if (mode === 'strict' && action.kind === 'warn')
    return 'A strict budget that only warns holds nothing: make it standard.';
  return ruleFault(budget) ?? windowFault(budget.window);
}

/** What is wrong with a rate limit as a sentence, or null. `LimitBook` takes only limits without a fault. */
export function findLimitFault(limit: RateLimit): string | null {
  if (limit.amount < 0n) return 'The amount is negative.';
  if (limit.measure !== 'parallel') {
    const { pace } = limit;
    if (pace.kind === 'bucket' && !isBetween(pace.perMs, [1, LONGEST_MS])) return 'The period is no length of time.';
    if (pace.kind === 'bucket' && pace.burst < 0n) return 'The burst is negative.';
    const fault = pace.kind === 'window' ? windowFault(pace.window) : null;
    if (fault !== null) return fault;
  }
  return ruleFault(limit);
}

function ruleFault({ effectiveFrom, effectiveTo, scope, counts }: Rule): string | null {
  if (effectiveFrom !== null && effectiveTo !== null && effectiveTo <= effectiveFrom)
    return 'It ends before it begins.';
  if (counts !== 'declared' && scope.some(({ on }) => on === 'label')) {
    return 'Labels and paths have no provenance: a scope with one counts what is declared.';
  }
  return null;
}

function windowFault(window: Window): string | null {
  if ('zone' in window && parseTimeZone(window.zone) === undefined) return `There is no time zone ${window.zone}.`;
  switch (window.kind) {
    case 'hour':
    case 'total':
      return null;
    case 'fixed':
    case 'rolling':
      return isBetween(window.lengthMs, [1000, LONGEST_MS]) ? null : 'The window is no length of time.';
    case 'day':
      return isBetween(window.count, [1, 36_500]) ? null : 'The number of days is not 1 to 36500.';
    case 'week':
      return isBetween(window.startsOn, [1, 7]) ? null : 'A week starts on a day from 1 (Monday) to 7.';
    case 'month':
      if (!isBetween(window.count, [1, 1200])) return 'The number of months is not 1 to 1200.';
      return isBetween(window.startsOn, [1, 31]) ? null : 'A month starts on a day from 1 to 31.';
    case 'year':
      return isBetween(window.startsOnMonth, [1, 12]) ? null : 'A year starts in a month from 1 to 12.';
  }
}

function isBetween(value: number, [least, most]: readonly [number, number]): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
