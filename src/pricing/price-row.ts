import type { TimestampMs } from '#std';
import type { Meter, UnitPrice } from '#terms';

export type Rates = Readonly<Partial<Record<Meter, UnitPrice>>>;

/** How a name is known to be this row's model: by an exact name in lower case, or by an anchored pattern, any case. */
export type Match =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'pattern'; readonly pattern: string };

/** Prices of the whole request once its input tokens, cached ones included, pass the threshold. */
export type ContextTier = { readonly threshold: number; readonly op: 'gt' | 'gte'; readonly rates: Rates };

/**
 * What a served tier changes: `factor` multiplies token prices and leaves fees alone; `rates` replace all token prices, up
 * to `maxInputTokens` where the provider does not sell the tier beyond.
 */
export type ServiceTierPrice =
  | { readonly factor: string }
  | { readonly rates: Rates; readonly maxInputTokens?: number };

/** A time of day, UTC, in seconds since midnight, half-open; over midnight when `from` is the later one. */
export type DayWindow = { readonly fromSecond: number; readonly toSecond: number };

/** Prices of one model while they are in force. A row is never changed: a new price is a new row. */
export type PriceRow = {
  readonly id: string;
  readonly provider: string;
  /** The canonical model; `*` for what holds for every priced model of the provider (no rates then). */
  readonly model: string;
  readonly match: readonly Match[];
  /** Half-open, UTC; null for "as far back as is known" and "until further notice". */
  readonly effectiveFrom: TimestampMs | null;
  readonly effectiveTo: TimestampMs | null;
  /** Holds only at this time of day, between the dates above. */
  readonly window?: DayWindow;
  readonly rates: Rates;
  readonly tiers?: readonly ContextTier[];
  /** By the tier's name in the answer, lower case. */
  readonly serviceTiers?: Readonly<Record<string, ServiceTierPrice>>;
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  /** Where the price was read, and the day somebody last looked (null for the seed, whose package does not say). */
  readonly source: string;
  readonly checked: string | null;
};

export const EVERY_MODEL = '*';

export function hasRates(row: PriceRow): boolean {
  return Object.keys(row.rates).length > 0;
}
