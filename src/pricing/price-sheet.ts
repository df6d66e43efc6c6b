import { invariant } from '#std';
import { inputTokens, isTokenMeter, METERS, type Meter, type UnitPrice } from '#terms';
import { formatRatio, multiply, parseRatio, picoPerUnit, type Ratio } from './amount.ts';
import type { ContextTier, PriceRow, Rates } from './price-row.ts';

/** What one unit of a meter costs, ready to multiply. */
export type MeterPrice = {
  readonly meter: Meter;
  readonly unitPrice: UnitPrice;
  /** Pico-dollars per unit. */
  readonly pico: Ratio;
  /** The row that gave the price; two joined by `+` when a service tier of another row changed it. */
  readonly priceRow: string;
};

export type PriceSheet = ReadonlyMap<Meter, MeterPrice>;

/** The dearest token price of a side over all service tiers, and whether no price of the band can need rounding. */
type Ceiling = { readonly input: Ratio | null; readonly output: Ratio | null; readonly whole: boolean };

/** The prices that hold from `fromTokens` input tokens up to the next band. */
type ContextBand = {
  readonly fromTokens: number;
  readonly base: PriceSheet;
  readonly serviceTiers: ReadonlyMap<string, PriceSheet>;
  readonly ceiling: Ceiling;
};

/** The prices of one model at one time, compiled: bands ascend, the first begins at 0. */
export type PriceMatch = {
  readonly model: string;
  /** The rows in force, strongest first. */
  readonly rows: readonly PriceRow[];
  readonly bands: readonly ContextBand[];
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
};

/** Names for "no tier": OpenAI `default` and `auto`, Anthropic `standard`, Groq `on_demand`. */
const BASE_TIERS: ReadonlySet<string> = new Set(['', 'default', 'auto', 'standard', 'on_demand']);

/** @param rows in force, strongest first: each meter and each service tier is taken from the first row that prices it */
export function compileMatch(model: string, rows: readonly PriceRow[]): PriceMatch {
  return {
    model,
    rows,
    bands: bandStarts(rows).map((fromTokens) => compileBand(rows, fromTokens)),
    contextWindow: rows.find((row) => row.contextWindow !== undefined)?.contextWindow ?? null,
    maxOutputTokens: rows.find((row) => row.maxOutputTokens !== undefined)?.maxOutputTokens ?? null,
  };
}

/** The sheet for a request of this size in the tier that was served; undefined when that tier has no price. */
export function findSheet(match: PriceMatch, totalInputTokens: number, servedTier: string): PriceSheet | undefined {
  let band = match.bands[0];
  for (const next of match.bands) if (totalInputTokens >= next.fromTokens) band = next;
  invariant(band !== undefined, 'a price match has a band from 0');
  const tier = servedTier.toLowerCase();
  return BASE_TIERS.has(tier) ? band.base : band.serviceTiers.get(tier);
}

/** The least number of input tokens at which the tier holds. */
function tierStart(tier: ContextTier): number {
  return tier.op === 'gte' ? tier.threshold : tier.threshold + 1;
}

function bandStarts(rows: readonly PriceRow[]): number[] {
  const starts = new Set([0]);
  for (const row of rows) {
    for (const tier of row.tiers ?? []) starts.add(tierStart(tier));
    for (const served of Object.values(row.serviceTiers ?? {}))
      if ('rates' in served && served.maxInputTokens !== undefined) starts.add(served.maxInputTokens + 1);
  }
  return [...starts].toSorted((left, right) => left - right);
}

function compileBand(rows: readonly PriceRow[], fromTokens: number): ContextBand {
  const base = compileBase(rows, fromTokens);
  const serviceTiers = new Map<string, PriceSheet>();
  for (const row of rows) {
    for (const name of Object.keys(row.serviceTiers ?? {})) {
      if (serviceTiers.has(name)) continue;
      const sheet = compileServiceTier(row, name, { base, fromTokens });
      if (sheet !== undefined) serviceTiers.set(name, sheet);
    }
  }
  return { fromTokens, base, serviceTiers, ceiling: findCeiling([base, ...serviceTiers.values()]) };
}

function compileBase(rows: readonly PriceRow[], fromTokens: number): PriceSheet {
  const sheet = new Map<Meter, MeterPrice>();
  for (const meter of METERS) {
    const row = rows.find(({ rates }) => rates[meter] !== undefined);
    const unitPrice = row && rateAt(row, meter, fromTokens);
    if (row !== undefined && unitPrice !== undefined) sheet.set(meter, compilePrice(meter, unitPrice, row.id));
  }
  return sheet;
}

/** A tier's own price where it has one, so that a fee beside tiered tokens stays as it is. */
function rateAt(row: PriceRow, meter: Meter, totalInputTokens: number): UnitPrice | undefined {
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

function compileServiceTier(
  row: PriceRow,
  name: string,
  band: { readonly base: PriceSheet; readonly fromTokens: number },
): PriceSheet | undefined {
  const served = row.serviceTiers?.[name];
  if (served === undefined) return undefined;
  if ('factor' in served) return multiplySheet(band.base, served.factor, row.id);
  if (served.maxInputTokens !== undefined && band.fromTokens > served.maxInputTokens) return undefined;
  return replaceTokenPrices(band.base, served.rates, row.id);
}

function multiplySheet(base: PriceSheet, factor: string, rowId: string): PriceSheet {
  const ratio = parseRatio(factor);
  invariant(ratio !== undefined, `the factor ${factor} of ${rowId} is a number`);
  const sheet = new Map<Meter, MeterPrice>();
  for (const [meter, price] of base) {
    const amount = parseRatio(price.unitPrice.amount);
    if (!isTokenMeter(meter) || amount === undefined) sheet.set(meter, price);
    else {
      const unitPrice = { amount: formatRatio(multiply(amount, ratio)), per: price.unitPrice.per };
      sheet.set(meter, compilePrice(meter, unitPrice, `${price.priceRow}+${rowId}`));
    }
  }
  return sheet;
}

function replaceTokenPrices(base: PriceSheet, rates: Rates, rowId: string): PriceSheet {
  const sheet = new Map<Meter, MeterPrice>();
  for (const meter of METERS) {
    const unitPrice = rates[meter];
    const kept = base.get(meter);
    if (unitPrice !== undefined) sheet.set(meter, compilePrice(meter, unitPrice, rowId));
    else if (kept !== undefined && !isTokenMeter(meter)) sheet.set(meter, kept);
  }
  return sheet;
}

function compilePrice(meter: Meter, unitPrice: UnitPrice, priceRow: string): MeterPrice {
  const pico = picoPerUnit(unitPrice);
  invariant(pico !== undefined, `${priceRow} has a price for ${meter}: ${unitPrice.amount} per ${unitPrice.per}`);
  return { meter, unitPrice, pico, priceRow };
}

function findCeiling(sheets: readonly PriceSheet[]): Ceiling {
  let input: Ratio | null = null;
  let output: Ratio | null = null;
  let whole = true;
  for (const sheet of sheets) {
    for (const { meter, pico } of sheet.values()) {
      if (!isTokenMeter(meter)) continue;
      whole &&= pico.den === 1n;
      if (inputTokens({ [meter]: 1 }) === 1) input = dearer(input, pico);
      else output = dearer(output, pico);
    }
  }
  return { input, output, whole };
}

function dearer(left: Ratio | null, right: Ratio): Ratio {
  return left !== null && left.num * right.den >= right.num * left.den ? left : right;
}
