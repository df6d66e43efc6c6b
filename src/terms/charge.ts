import type { PicoUsd } from './money.ts';
import type { Meter } from './usage.ts';

/** `amount` USD for `per` units; the amount is an exact decimal string (or `n/d` where no finite decimal exists). */
export type UnitPrice = { readonly amount: string; readonly per: number };

/** One price line: meter × quantity × unit price = amount, rounded once, half-even, to a pico-dollar. */
export type Charge = {
  readonly meter: Meter;
  readonly quantity: number;
  readonly unitPrice: UnitPrice;
  readonly amount: PicoUsd;
  /** The price row that gave the unit price. */
  readonly priceRow: string;
};

/** How far a cost can be trusted. A known price of zero is `exact`; an unknown one is `unpriced`, never zero. */
export const COST_STATES = [
  'exact',
  'reported',
  'partial_exact',
  'estimated',
  'incomplete',
  'unpriced',
  'in_doubt',
] as const;

export type CostState = (typeof COST_STATES)[number];

/** Usage with a price. `cost` is null exactly when `state` is `unpriced` or `in_doubt`. */
export type RatedCost = {
  readonly state: CostState;
  readonly cost: PicoUsd | null;
  readonly charges: readonly Charge[];
  /** Meters with a quantity but without a price; non-empty for `incomplete` and `unpriced`. */
  readonly unpricedMeters: readonly Meter[];
  /** Why the cost is what it is, where the state alone does not say (`upstream_error`, `model_without_price`, …). */
  readonly reason?: string;
};
