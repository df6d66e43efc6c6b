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
  /** What the provider charges us: as it reported, or computed at the prices and terms that hold for us. */
  readonly cost: PicoUsd | null;
  /** The same usage at public prices; null where they do not price all of it. */
  readonly listCost: PicoUsd | null;
  /** What we charge on: the cost and its markup. */
  readonly billed: PicoUsd | null;
  /** What our price book makes of the usage, beside a cost the provider reported; else the cost itself. */
  readonly computedCost: PicoUsd | null;
  /** The contract and markup that were applied, by id. */
  readonly terms: readonly string[];
  readonly charges: readonly Charge[];
  /** Meters with a quantity but without a price; non-empty for `incomplete` and `unpriced`. */
  readonly unpricedMeters: readonly Meter[];
  /** Why the cost is what it is, where the state alone does not say (`upstream_error`, `model_without_price`, …). */
  readonly reason?: string;
};
