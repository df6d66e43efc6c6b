/**
 * Is: budgets and rate limits as arithmetic: which ones a call falls in, what is held and spent, whether it may start.
 * Owns: scopes, windows, counters, limits, the wording of refusals. Not: I/O, the clock, prices, what an answer looks like.
 * Holds: a call is held in every budget it falls in or in none; a strict budget admits only what provably fits (SPEC.md).
 * Fails: refusals are return values; a broken invariant throws, and the caller restores from the ledger.
 */
export { type Admission, type Reserve, type Short, type Shortfall } from './admission.ts';
export { type BookRows, type CellRow } from './book-rows.ts';
export { type Budget, type BudgetAction, type BudgetMode, type BudgetOutage } from './budget.ts';
export { BudgetBook, type Correction, type EndedCall, type Posting, type SeriesSpec } from './budget-book.ts';
export { forecastOf, type Forecast } from './forecast.ts';
export {
  LimitBook,
  type Consumption,
  type GaugeRow,
  type LimitAnswer,
  type LimitRequest,
  type LimitStanding,
} from './limit-book.ts';
export { LeaseBook, type Lease, type LeaseRow, type LeaseWant } from './lease-book.ts';
export { type Pace, type RateLimit } from './rate-limit.ts';
export { budgetRefusalWords, limitRefusalWords, rateLimitHeaders, type RefusalWords } from './refusal-words.ts';
export { findBudgetFault, findLimitFault } from './rule-faults.ts';
export { plainScope, type Condition, type Counts, type Scope, type ScopedCall, type Values } from './scope.ts';
export { StrictScopes } from './strict-scopes.ts';
export { type Crossing, type Standing } from './standing.ts';
export { countsSince, parseBudgetDuration, windowAt, type Window, type WindowSpan } from './window.ts';
