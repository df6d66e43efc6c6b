import { type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { limitAt, type Budget } from './budget.ts';
import { type Counter } from './counter.ts';
import { type TallyChange, committed } from './tally.ts';
import { reachMs, type WindowSpan } from './window.ts';

/** How one instance of a budget stands in one window. */
export type Standing = {
  readonly budgetId: string;
  /** The values of the scope's wildcards. */
  readonly instance: readonly string[];
  readonly windowId: string;
  readonly start: TimestampMs;
  readonly end: TimestampMs;
  readonly limit: PicoUsd;
  /** As in the ledger; negative where credits exceed what was spent. */
  readonly spent: PicoUsd;
  readonly reserved: PicoUsd;
  readonly atRisk: PicoUsd;
  readonly overrun: PicoUsd;
  /** Running calls and calls in doubt of which nobody can say what they cost. */
  readonly unbounded: number;
  /** Calls that ended without a price. */
  readonly unpriced: number;
};

/**
 * Spending passed a threshold of a budget. Budget, instance, window and threshold together name it for ever; in a
 * rolling window, whose spending also falls, each step may cross anew.
 */
export type Crossing = {
  readonly budgetId: string;
  readonly instance: readonly string[];
  readonly windowId: string;
  /** Percent of the limit. */
  readonly threshold: number;
  readonly limit: PicoUsd;
  /** Spent and at risk, with what crossed it. */
  readonly committed: PicoUsd;
};

export function reservedFor(budget: Budget, tally: TallyChange): PicoUsd {
  return picoUsd(budget.mode === 'strict' ? tally.most : tally.likely);
}

type Step = {
  readonly instance: readonly string[];
  readonly windowId: string;
  readonly at: TimestampMs;
  readonly before: bigint;
  readonly after: TallyChange;
};

/** The thresholds of a budget that lie between what was committed before and what is now. */
export function crossingsOf(budget: Budget, step: Step): readonly Crossing[] {
  const after = committed(step.after);
  if (after <= step.before || budget.thresholds.length === 0) return [];
  const limit = limitAt(budget, step.at);
  const passed = budget.thresholds.filter((threshold) => {
    const mark = limit * BigInt(threshold);
    return step.before * 100n < mark && after * 100n >= mark;
  });
  return passed.map((threshold) => ({
    budgetId: budget.id,
    instance: step.instance,
    windowId: step.windowId,
    threshold,
    limit,
    committed: picoUsd(after),
  }));
}

type Counted = { readonly counter: Counter; readonly span: WindowSpan; readonly tally: TallyChange };

export function standingOf(budget: Budget, { counter, span, tally }: Counted, now: TimestampMs): Standing {
  const { start, end, id } = span;
  return {
    budgetId: budget.id,
    instance: counter.instance,
    windowId: id,
    start: (start - reachMs(budget.window)) as TimestampMs,
    end,
    limit: limitAt(budget, now),
    spent: picoUsd(tally.spent),
    reserved: reservedFor(budget, tally),
    atRisk: picoUsd(tally.atRisk),
    overrun: picoUsd(tally.overrun),
    unbounded: tally.unbounded,
    unpriced: tally.unpriced,
  };
}
