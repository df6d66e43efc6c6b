import { invariant } from '#std';
import { isTokenMeter, METERS, type Meter, type UnitPrice } from '#terms';
import { formatRatio, multiply, parseRatio, picoPerUnit, type Ratio } from './amount.ts';
import type { ContextTier, PriceRow, RatePrice, Rates } from './price-row.ts';

/** What one unit of a meter costs, ready to multiply. */
export type MeterPrice = {
  readonly meter: Meter;
  readonly unitPrice: UnitPrice;
  /** Pico-dollars per unit. */
  readonly pico: Ratio;
  /** The least quantity that is billed; 0 for none. */
  readonly minimum: number;
  /** The rows that made the price, joined by `+`. */
  readonly priceRow: string;
};

/** The price of each meter, for one model, size, service tier and geography. */
export type PriceSheet = ReadonlyMap<Meter, MeterPrice>;

/** The least number of input tokens at which the tier holds. */
export function tierStart(tier: ContextTier): number {
  return tier.op === 'gte' ? tier.threshold : tier.threshold + 1;
}

/** Each meter from the strongest row that prices it, at the size of the request. */
export function baseSheet(rows: readonly PriceRow[], fromTokens: number): PriceSheet {
  const sheet = new Map<Meter, MeterPrice>();
  for (const meter of METERS) {
    const row = rows.find(({ rates }) => rates[meter] !== undefined);
    const price = row && rateAt(row, meter, fromTokens);
    if (row !== undefined && price !== undefined) sheet.set(meter, compilePrice(meter, price, row.id));
  }
  return sheet;
}

/** A tier's own price where it has one, so that a fee beside tiered tokens stays as it is. */
function rateAt(row: PriceRow, meter: Meter, totalInputTokens: number): RatePrice | undefined {
  let found = row.rates[meter];
  let start = 0;
  for (const tier of row.tiers ?? []) {
    const rate = tier.rates[meter];
    if (rate === undefined || tierStart(tier) > totalInputTokens || tierStart(tier) < start) continue;
    found = rate;
    start = tierStart(tier);
  }
  return found;
}

/** Token prices times a factor, but for the exempt ones; fees stay as they are. */
export function multiplySheet(
  sheet: PriceSheet,
  factor: string,
  from: { readonly rowId: string; readonly exempt: Rates },
): PriceSheet {
  const ratio = parseRatio(factor);
  invariant(ratio !== undefined, `the factor ${factor} of ${from.rowId} is a number`);
  const multiplied = new Map<Meter, MeterPrice>();
  for (const [meter, price] of sheet) {
    const amount = parseRatio(price.unitPrice.amount);
    invariant(amount !== undefined, `${price.priceRow} has an amount for ${meter}`);
    if (!isTokenMeter(meter) || from.exempt[meter] !== undefined) multiplied.set(meter, price);
    else {
      const unitPrice = { amount: formatRatio(multiply(amount, ratio)), per: price.unitPrice.per };
      multiplied.set(meter, compilePrice(meter, unitPrice, `${price.priceRow}+${from.rowId}`));
    }
  }
  return multiplied;
}

/** The given prices in place of all token prices; fees stay unless they are given too. */
export function replaceTokenPrices(sheet: PriceSheet, rates: Rates, rowId: string): PriceSheet {
  return coverSheet(new Map([...sheet].filter(([meter]) => !isTokenMeter(meter))), rates, rowId);
}

/** The given prices over those of the sheet, meter by meter. */
export function coverSheet(sheet: PriceSheet, rates: Rates, rowId: string): PriceSheet {
  const covered = new Map<Meter, MeterPrice>();
  for (const meter of METERS) {
    const price = rates[meter];
    const kept = sheet.get(meter);
    if (price !== undefined) covered.set(meter, compilePrice(meter, price, rowId));
    else if (kept !== undefined) covered.set(meter, kept);
  }
  return covered;
}

/** Meters without a price take the one a row names for them; nothing is inherited that no row names. */
export function inheritPrices(sheet: PriceSheet, rows: readonly PriceRow[]): PriceSheet {
  const filled = new Map(sheet);
  for (const row of rows) {
    for (const meter of METERS) {
      const source = row.inherit?.[meter];
      const price = source === undefined ? undefined : sheet.get(source);
      if (price === undefined || filled.has(meter)) continue;
      filled.set(meter, { ...price, meter, priceRow: `${price.priceRow}+${row.id}` });
    }
  }
  return filled;
}

function compilePrice(meter: Meter, price: RatePrice, priceRow: string): MeterPrice {
  const unitPrice = { amount: price.amount, per: price.per };
  const pico = picoPerUnit(unitPrice);
  invariant(pico !== undefined, `${priceRow} has a price for ${meter}: ${price.amount} per ${price.per}`);
  return { meter, unitPrice, pico, minimum: price.minimum ?? 0, priceRow };
}
