import { forecastOf, windowAt, type Crossing, type Standing, type Window } from '#budgets';
import type { TimestampMs } from '#std';
import { formatUsd, picoUsd, type PicoUsd } from '#terms';
import { isShare, percentOf, usdText, type Reading } from './reading.ts';
import type { RuleOf } from './rule.ts';

/** A budget as far as alerts speak of it. */
export type NamedBudget = { readonly id: string; readonly name: string; readonly window: Window };

export type Budgets = ReadonlyMap<string, NamedBudget>;

type Passed = {
  readonly budget: NamedBudget;
  readonly instance: readonly string[];
  readonly windowId: string;
  readonly window: Reading['window'];
  readonly percent: number;
  readonly limit: PicoUsd;
  readonly amount: PicoUsd;
};

/** Where marks of budgets are passed, as they stand. Finds what nobody was told of, too. */
export function judgeStandings(
  rule: RuleOf<'budget_threshold'>,
  standings: readonly Standing[],
  { budgets, now }: { readonly budgets: Budgets; readonly now: TimestampMs },
): readonly Reading[] {
  return standings.flatMap((standing) => {
    const budget = budgets.get(standing.budgetId);
    if (budget === undefined || !isAbout(rule, budget.id)) return [];
    const amount = amountOf(rule, standing, { budget, now });
    if (amount === null || amount <= 0n) return [];
    const { start, end, instance, windowId, limit } = standing;
    const marks = rule.percents.filter((percent) => isShare(amount, limit, percent));
    return marks.map((percent) =>
      readingOf(rule, { budget, instance, windowId, window: { start, end }, percent, limit, amount }),
    );
  });
}

/** The readings of crossings that a rule wants to know of. */
export function judgeCrossings(
  rule: RuleOf<'budget_threshold'>,
  crossings: readonly Crossing[],
  { budgets, now }: { readonly budgets: Budgets; readonly now: TimestampMs },
): readonly Reading[] {
  if (rule.of === 'forecast') return [];
  return crossings.flatMap(({ budgetId, instance, windowId, threshold, limit, committed }) => {
    const budget = budgets.get(budgetId);
    if (budget === undefined || !isAbout(rule, budgetId) || !rule.percents.includes(threshold)) return [];
    const window = spanOf(budget.window, windowId, now);
    const passed = { budget, instance, windowId, window, percent: threshold, limit, amount: committed };
    return [readingOf(rule, passed)];
  });
}

function isAbout({ budgets }: RuleOf<'budget_threshold'>, budgetId: string): boolean {
  return budgets === null || budgets.includes(budgetId);
}

/** A crossing may be told just after its window has ended. */
function spanOf(window: Window, windowId: string, now: TimestampMs): Reading['window'] {
  const current = windowAt(window, now);
  const { start, end } =
    current.id === windowId ? current : windowAt(window, Math.max(0, current.start - 1) as TimestampMs);
  return { start, end };
}

function amountOf(
  rule: RuleOf<'budget_threshold'>,
  standing: Standing,
  { budget, now }: { readonly budget: NamedBudget; readonly now: TimestampMs },
): PicoUsd | null {
  if (rule.of === 'actual') return picoUsd(standing.spent + standing.atRisk);
  return forecastOf(standing, { window: budget.window, at: now })?.atEnd ?? null;
}

function readingOf(rule: RuleOf<'budget_threshold'>, passed: Passed): Reading {
  const { budget, instance, windowId, window, percent, limit, amount } = passed;
  const who = instance.length === 0 ? budget.name : `${budget.name} (${instance.join(', ')})`;
  const share = percentOf(amount, limit);
  const verb = rule.of === 'forecast' ? 'will reach' : 'has reached';
  return {
    instance: JSON.stringify([budget.id, ...instance]),
    windowId,
    window,
    threshold: `${rule.of} ${percent}%`,
    lasts: budget.window.kind === 'rolling',
    said: {
      sentence: `Budget ${who} ${verb} ${usdText(amount)} of ${usdText(limit)}${share === null ? '' : ` (${share} %)`}, its mark of ${percent} % is passed.`,
      figures: {
        budget_id: budget.id,
        instance: instance.join(', '),
        threshold_percent: percent,
        [rule.of === 'forecast' ? 'forecast_usd' : 'committed_usd']: formatUsd(amount),
        limit_usd: formatUsd(limit),
        percent: share,
      },
    },
  };
}
