import type { TimestampMs } from '#std';
import type { CostState } from '#terms';

/** Calls to price anew, by when they began; half-open, UTC. Null holds for every value. */
export type RepriceRequest = {
  readonly from: TimestampMs;
  readonly to: TimestampMs;
  readonly provider: string | null;
  readonly model: string | null;
  /** The states their cost is in by now. */
  readonly states: readonly CostState[];
  readonly reason: string;
  readonly actor: string;
};

/** Prices recorded calls anew: `preview` says what would change, `apply` appends the corrections. */
export type Repricing = {
  preview(request: RepriceRequest): Promise<WireRepricing>;
  apply(request: RepriceRequest): Promise<WireRepricing>;
};

type WireAmounts = {
  readonly old_cost_exact: string;
  readonly new_cost_exact: string;
  readonly delta_exact: string;
};

export type WireModelChange = WireAmounts & {
  readonly provider: string;
  readonly model: string;
  readonly examined: number;
  readonly changed: number;
};

export type WireEntryChange = {
  readonly entry_id: string;
  readonly timestamp: string;
  readonly provider: string;
  readonly model: string;
  readonly old_state: string;
  readonly new_state: string;
  /** Null when it was not known. */
  readonly old_cost_exact: string | null;
  readonly new_cost_exact: string | null;
  readonly delta_exact: string;
};

/** What a run found, and did. An unknown cost counts as nothing in the sums; `unpriced_…` says how many there are. */
export type WireRepricing = WireAmounts & {
  readonly id: string;
  readonly mode: 'preview' | 'apply';
  readonly price_book: string;
  readonly examined: number;
  readonly changed: number;
  /** Those that stand already, and the three kinds below. */
  readonly unchanged: number;
  /** Nothing says what was used, so there is nothing to price. */
  readonly without_usage: number;
  /** Their detail is gone (store.retention_days): they are not examined, and stay as they are. */
  readonly without_detail: number;
  /** No price is found for them: what they have is left as it is. */
  readonly without_price: number;
  /** Left as they are: the prices of today lack a part of what was priced as a whole, or somebody stated the cost. */
  readonly kept: number;
  readonly unpriced_before: number;
  readonly unpriced_after: number;
  readonly list_delta_exact: string;
  readonly billed_delta_exact: string;
  readonly by_model: readonly WireModelChange[];
  /** The largest changes, a correction each. */
  readonly largest: readonly WireEntryChange[];
  /** Corrections that were appended. */
  readonly applied: number;
};
