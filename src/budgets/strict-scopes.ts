import { type TimestampMs } from '#std';
import { budgetSeriesKey, isEnforced, type Budget } from './budget.ts';
import { ScopeIndex } from './scope-index.ts';
import { type ScopedCall } from './scope.ts';

/** Which calls fall in a strict budget, for whoever has no counters at hand. */
export class StrictScopes {
  readonly #index: ScopeIndex<Budget>;

  constructor(budgets: readonly Budget[]) {
    this.#index = new ScopeIndex(
      budgets.filter(({ mode }) => mode === 'strict'),
      budgetSeriesKey,
    );
  }

  cover(call: ScopedCall, at: TimestampMs): boolean {
    return this.#index
      .matching(call)
      .some(({ series }) => this.#index.rulesFor(series, call, at).some((budget) => isEnforced(budget, call)));
  }
}
