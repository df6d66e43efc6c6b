import type { TimestampMs } from '#std';
import type { Meter, UnitPrice } from '#terms';

/** `minimum` is the least quantity that is billed at a time (Groq bills ten seconds of a shorter recording). */
export type RatePrice = UnitPrice & { readonly minimum?: number };

export type Rates = Readonly<Partial<Record<Meter, RatePrice>>>;

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

/** What a geography changes: `factor` multiplies token prices, after the service tier; `rates` are its own list of token prices. */
export type GeoPrice = { readonly factor: string } | { readonly rates: Rates };

/** A time of day, UTC, in seconds since midnight, half-open; over midnight when `from` is the later one. */
export type DayWindow = {
  readonly fromSecond: number;
  readonly toSecond: number;
  /** The days of the week it begins on, 1 is Monday; every day where it does not say. */
  readonly days?: readonly number[];
};

/** Where a price comes from, strongest first: the operator's terms, our own files, the data of the seed package. */
export const PRICE_LAYERS = ['operator', 'overlay', 'seed'] as const;

export type PriceLayer = (typeof PRICE_LAYERS)[number];

/** Prices of one model while they are in force. A row is never changed: a new price is a new row. */
export type PriceRow = {
  readonly id: string;
  readonly layer: PriceLayer;
  readonly provider: string;
  /** The canonical model; `*` for what holds for every model of the provider (rates then only from an operator). */
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
  /** By the answer's geography or the deployment's region, lower case. */
  readonly geo?: Readonly<Record<string, GeoPrice>>;
  /** Meters that are billed at another meter's price where they have none of their own. */
  readonly inherit?: Readonly<Partial<Record<Meter, Meter>>>;
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
