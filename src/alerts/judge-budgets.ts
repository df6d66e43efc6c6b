import type { Crossing, Standing } from '#budgets';
import type { TimestampMs } from '#std';
import { formatUsd, picoUsd, type PicoUsd } from '#terms';
import { isShare, percentOf, usdText, type Reading } from './reading.ts';
import type { RuleOf } from './rule.ts';

/** A budget as far as alerts speak of it. */
export type BudgetName = {
  readonly id: string;
  readonly name: string;
  /** Its windows follow one another all the time: what is over in one was not crossed in it. */
  readonly rolling: boolean;
};

export type NamedStanding = Standing & { readonly budget: BudgetName };

export type NamedCrossing = Crossing & { readonly budget: BudgetName; readonly window: Reading['window'] };

/** Where thresholds of budgets are passed, as they stand. Finds what nobody was told of, too. */
export function judgeStandings(
  rule: RuleOf<'budget_threshold'>,
  standings: readonly NamedStanding[],
  now: TimestampMs,
): readonly Reading[] {
  return standings
    .filter(({ budgetId }) => isAbout(rule, budgetId))
    .flatMap((standing) => {
      const amount = rule.of === 'actual' ? picoUsd(standing.spent + standing.atRisk) : forecastOf(standing, now);
      if (amount === null) return [];
      const { start, end } = standing;
      const passed = rule.percents.filter((percent) => amount > 0n && isShare(amount, standing.limit, percent));
      return passed.map((percent) =>
        readingOf(rule, { ...standing, window: { start, end }, threshold: percent, committed: amount }),
      );
    });
}

/** The readings of crossings that a rule wants to know of. */
export function judgeCrossings(
  rule: RuleOf<'budget_threshold'>,
  crossings: readonly NamedCrossing[],
): readonly Reading[] {
  if (rule.of === 'forecast') return [];
  return crossings
    .filter(({ budgetId, threshold }) => isAbout(rule, budgetId) && rule.percents.includes(threshold))
    .map((crossing) => readingOf(rule, crossing));
}

function isAbout({ budgets }: RuleOf<'budget_threshold'>, budgetId: string): boolean {
  return budgets === null || budgets.includes(budgetId);
}

/** The share of a window that must have passed before its end is guessed from it. */
const LEAST_PASSED = 20;

/** What the window will have cost at its end, should it go on as it did so far; null where that cannot be said. */
function forecastOf({ budget, start, end, spent, atRisk }: NamedStanding, now: TimestampMs): PicoUsd | null {
  const [passed, whole] = [now - start, end - start];
  if (budget.rolling || !Number.isSafeInteger(whole) || start < 0) return null;
  if (passed <= 0 || passed > whole || passed * LEAST_PASSED < whole) return null;
  return picoUsd(((spent + atRisk) * BigInt(whole)) / BigInt(passed));
}

function readingOf(rule: RuleOf<'budget_threshold'>, crossing: NamedCrossing): Reading {
  const { budget, instance, windowId, window, threshold, limit, committed } = crossing;
  const who = instance.length === 0 ? budget.name : `${budget.name} (${instance.join(', ')})`;
  const share = percentOf(committed, limit);
  const verb = rule.of === 'forecast' ? 'will reach' : 'has reached';
  return {
    instance: JSON.stringify([budget.id, ...instance]),
    windowId,
    window,
    threshold: `${rule.of} ${threshold}%`,
    lasts: budget.rolling,
    said: {
      sentence: `Budget ${who} ${verb} ${usdText(committed)} of ${usdText(limit)}${share === null ? '' : ` (${share} %)`}, its mark of ${threshold} % is passed.`,
      figures: {
        budget_id: budget.id,
        instance: instance.join(', '),
        threshold_percent: threshold,
        [rule.of === 'forecast' ? 'forecast_usd' : 'committed_usd']: formatUsd(committed),
        limit_usd: formatUsd(limit),
        percent: share,
      },
    },
  };
}
