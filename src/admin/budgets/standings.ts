import { instanceNames, type BudgetRecord } from '#accounts';
import { forecastOf, type Standing } from '#budgets';
import type { TimestampMs } from '#std';
import { addUsd, formatUsd, picoUsd, usdNumber, type PicoUsd } from '#terms';

/** How all budgets stand, as the thread that admits calls counts them; null while nobody can say. */
export type Standings = () => Promise<readonly Standing[] | null>;

/** Standings by budget, the most used first. */
export function standingsByBudget(standings: readonly Standing[]): ReadonlyMap<string, readonly Standing[]> {
  const byBudget = Map.groupBy(standings, ({ budgetId }) => budgetId);
  return new Map(Array.from(byBudget, ([id, ofOne]) => [id, ofOne.toSorted(byUse)]));
}

/** Money that counts towards the limit: spent, held for running calls, and in doubt. */
export function usedOf({ spent, reserved, atRisk }: Standing): PicoUsd {
  return addUsd(addUsd(spent > 0n ? spent : picoUsd(0n), reserved), atRisk);
}

/** By share of the limit, without fractions: a/b > c/d where a·d > c·b. */
function byUse(left: Standing, right: Standing): number {
  const [one, other] = [usedOf(left) * right.limit, usedOf(right) * left.limit];
  if (one !== other) return one > other ? -1 : 1;
  return usedOf(left) > usedOf(right) ? -1 : 1;
}

/** A standing in answers: money as a number and exact beside it. */
export function toStandingInfo(
  standing: Standing,
  { budget, at }: { readonly budget: BudgetRecord; readonly at: TimestampMs },
): Record<string, unknown> {
  const names = instanceNames(budget.scope);
  const used = usedOf(standing);
  const remaining = picoUsd(standing.limit > used ? standing.limit - used : 0n);
  const forecast = forecastOf(standing, { window: budget.window, at });
  const isOpenEnded = budget.window.kind === 'total';
  return {
    instance: Object.fromEntries(names.map((name, nth) => [name, standing.instance[nth] ?? ''])),
    window: {
      id: standing.windowId,
      start: isOpenEnded ? null : new Date(standing.start).toISOString(),
      end: isOpenEnded ? null : new Date(standing.end).toISOString(),
    },
    resets_at: isOpenEnded || budget.window.kind === 'rolling' ? null : new Date(standing.end).toISOString(),
    ...money('limit', standing.limit),
    ...money('spent', standing.spent),
    ...money('reserved', standing.reserved),
    ...money('at_risk', standing.atRisk),
    ...money('overrun', standing.overrun),
    ...money('remaining', remaining),
    used_percent: percentOf(used, standing.limit),
    exceeded: used >= standing.limit,
    unpriced_calls: standing.unpriced,
    unbounded_calls: standing.unbounded,
    forecast:
      forecast === null
        ? null
        : {
            ...money('at_end', forecast.atEnd),
            reaches_limit_at: forecast.reachesLimitAt === null ? null : new Date(forecast.reachesLimitAt).toISOString(),
          },
  };
}

/** In tenths, rounded down: 100 only where it is. Null where nothing may be spent. */
function percentOf(used: PicoUsd, limit: PicoUsd): number | null {
  return limit === 0n ? null : Number((used * 1000n) / limit) / 10;
}

function money(name: string, amount: PicoUsd): Record<string, unknown> {
  return { [name]: usdNumber(amount), [`${name}_exact`]: formatUsd(amount) };
}
