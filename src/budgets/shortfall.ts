import { type TimestampMs } from '#std';
import { picoUsd } from '#terms';
import { type Shortfall, type Verdict } from './admission.ts';
import { type Budget, limitAt } from './budget.ts';
import { type Counter } from './counter.ts';
import { levelOf } from './lease-book.ts';
import { type Match } from './scope-index.ts';
import { isOfDeployment, scopeText } from './scope.ts';
import { reservedFor } from './standing.ts';
import { type TallyChange } from './tally.ts';
import { type WindowSpan } from './window.ts';

type Judged = {
  readonly match: Match<Budget>;
  readonly counter: Counter | undefined;
  readonly span: WindowSpan;
  readonly tally: TallyChange;
  readonly verdict: Verdict;
  /** What other nodes may spend. */
  readonly elsewhere: bigint;
};

/** What a caller is told of a budget that a call does not fit in. */
export function shortfallOf(budget: Budget, judged: Judged, at: TimestampMs): Shortfall {
  const { match, counter, span, tally, verdict, elsewhere } = judged;
  const weigh = (held: TallyChange): bigint => levelOf(budget.mode, held);
  const missing = (verdict.needed ?? 1n) - verdict.room;
  const { kind } = budget.window;
  const rolls = kind === 'rolling' ? (counter?.freedAt(missing, weigh) ?? null) : span.end;
  return {
    budgetId: budget.id,
    budgetName: budget.name,
    scope: scopeText(match.series.conditions, match.instance),
    ofDeployment: isOfDeployment(match.series.conditions),
    reason: verdict.reason ?? 'exceeded',
    spent: picoUsd(tally.spent),
    reserved: reservedFor(budget, tally),
    elsewhere: picoUsd(elsewhere),
    atRisk: picoUsd(tally.atRisk),
    limit: limitAt(budget, at),
    needed: verdict.needed === null ? null : picoUsd(verdict.needed),
    windowId: span.id,
    resetsAt: kind === 'total' ? null : rolls,
  };
}
