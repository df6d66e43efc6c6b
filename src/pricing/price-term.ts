import type { TimestampMs } from '#std';
import type { PriceRow, Rates } from './price-row.ts';

/** While it holds; half-open, UTC. */
type InForce = { readonly effectiveFrom: TimestampMs | null; readonly effectiveTo: TimestampMs | null };

/** What an operator agreed with a provider: a share off the list, or rates of its own. First match holds. */
export type Contract = InForce & {
  readonly id: string;
  /** A configured provider's name, or the provider whose list it is. */
  readonly provider: string;
  /** A model's canonical name, or one it is called by; null for all of them. */
  readonly model: string | null;
  /** The tier that was served, lower case; empty for the base tier alone, null for whichever. */
  readonly serviceTier: string | null;
  /** Where the deployment is, or, if nobody said, where the answer says it was processed; lower case. */
  readonly region: string | null;
} & ({ readonly discount: string } | { readonly rates: Rates });

/** What is charged on, on top of the cost. First match holds. A null field holds for every value. */
export type Markup = InForce & {
  readonly id: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly team: string | null;
  readonly key: string | null;
  /** A dimension and its value: `customer`, `acme`. */
  readonly tag: { readonly key: string; readonly value: string } | null;
  /** A share as a decimal: `0.035` is 3.5 %. */
  readonly markup: string;
};

/** Everything an operator says about prices beside the public lists. Strongest first. */
export type PriceTerms = {
  /** Rows that replace public ones; their provider may be a configured provider's name. */
  readonly rows: readonly PriceRow[];
  readonly contracts: readonly Contract[];
  readonly markups: readonly Markup[];
};

export const NO_TERMS: PriceTerms = { rows: [], contracts: [], markups: [] };
