import type { Match, PriceLayer, PriceRow, Rates, ServiceTierPrice } from '#pricing';
import { toWireInstant } from './instant.ts';

/** `minimum` is the least quantity that is billed at a time. */
type WireRate = { readonly amount: string; readonly per: number; readonly minimum?: number };

type WireRates = Readonly<Record<string, WireRate>>;

type WireTierPrice = { readonly factor: string } | { readonly rates: WireRates; readonly max_input_tokens?: number };

/** One price row, in the words of the files under `prices/`. */
export type WirePriceRow = {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly match: readonly (string | { readonly pattern: string })[];
  readonly effective_from: string | null;
  readonly effective_to: string | null;
  /** A time of day, UTC, in which alone it holds. */
  readonly window: { readonly from: string; readonly to: string; readonly days?: readonly number[] } | null;
  readonly rates: WireRates;
  readonly tiers: readonly { readonly threshold: number; readonly op: 'gt' | 'gte'; readonly rates: WireRates }[];
  readonly service_tiers: Readonly<Record<string, WireTierPrice>>;
  readonly geo: Readonly<Record<string, WireTierPrice>>;
  /** Meters billed at another meter's price where they have none of their own. */
  readonly inherit: Readonly<Record<string, string>>;
  readonly context_window: number | null;
  readonly max_output_tokens: number | null;
  readonly source: string;
  readonly checked: string | null;
  readonly layer: PriceLayer;
};

export function toWirePriceRow(row: PriceRow): WirePriceRow {
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    match: row.match.map(toWireMatch),
    effective_from: toWireInstant(row.effectiveFrom),
    effective_to: toWireInstant(row.effectiveTo),
    window: toWireWindow(row.window),
    rates: toWireRates(row.rates),
    tiers: (row.tiers ?? []).map(({ threshold, op, rates }) => ({ threshold, op, rates: toWireRates(rates) })),
    service_tiers: toWireTierPrices(row.serviceTiers),
    geo: toWireTierPrices(row.geo),
    inherit: { ...row.inherit },
    context_window: row.contextWindow ?? null,
    max_output_tokens: row.maxOutputTokens ?? null,
    source: row.source,
    checked: row.checked,
    layer: row.layer,
  };
}

function toWireWindow(window: PriceRow['window']): WirePriceRow['window'] {
  if (window === undefined) return null;
  const { fromSecond, toSecond, days } = window;
  return { from: timeOfDay(fromSecond), to: timeOfDay(toSecond), ...(days === undefined ? {} : { days }) };
}

function toWireMatch(match: Match): string | { pattern: string } {
  return match.kind === 'id' ? match.id : { pattern: match.pattern };
}

function toWireRates(rates: Rates): WireRates {
  return Object.fromEntries(Object.entries(rates).map(([meter, rate]) => [meter, { ...rate }]));
}

function toWireTierPrices(
  prices: Readonly<Record<string, ServiceTierPrice>> | undefined,
): Record<string, WireTierPrice> {
  return Object.fromEntries(Object.entries(prices ?? {}).map(([name, price]) => [name, toWireTierPrice(price)]));
}

function toWireTierPrice(price: ServiceTierPrice): WireTierPrice {
  if ('factor' in price) return { factor: price.factor };
  const rates = toWireRates(price.rates);
  return price.maxInputTokens === undefined ? { rates } : { rates, max_input_tokens: price.maxInputTokens };
}

function timeOfDay(second: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(second / 3600))}:${two(Math.floor((second % 3600) / 60))}`;
}
