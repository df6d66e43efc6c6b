import { invariant } from '#std';
import { inputTokens, isTokenMeter, METERS, picoUsd, type Charge, type Meter, type Meters, type PicoUsd } from '#terms';
import { divideHalfEven, parseRatio } from './amount.ts';
import { findSheet, type PriceMatch, type Served } from './price-match.ts';
import type { MeterPrice, PriceSheet } from './price-sheet.ts';

/** The price lines of some meters at one price list, and what of them it does not price. */
export type Lines = {
  readonly charges: readonly Charge[];
  readonly sum: bigint;
  readonly unpricedMeters: readonly Meter[];
  /** Why nothing could be priced; null where some of it was, or where there was nothing to price. */
  readonly failure: string | null;
};

type Quantity = { readonly meter: Meter; readonly quantity: number };

/** Each line is rounded once, half-even, to a pico-dollar. Undefined when a quantity is no quantity. */
export function chargeLines(meters: Meters, match: PriceMatch | undefined, served: Served): Lines | undefined {
  const quantities = readQuantities(meters);
  if (quantities === undefined) return undefined;
  if (match === undefined) return noLines(quantities, 'model_without_price');
  const sheet = findSheet(match, inputTokens(meters), served);
  if (typeof sheet === 'string') return noLines(quantities, sheet);
  const lines = priceAll(quantities, sheet);
  chargeRequest(meters, sheet, lines);
  const failed = lines.charges.length === 0 && lines.unpricedMeters.length > 0;
  return { ...lines, failure: failed ? 'meter_without_price' : null };
}

/** Undefined when one of them is negative, not finite, beyond 2^53 or a fraction of a token. */
function readQuantities(meters: Meters): readonly Quantity[] | undefined {
  const quantities: Quantity[] = [];
  for (const meter of METERS) {
    const quantity = meters[meter];
    if (quantity === undefined || quantity === 0) continue;
    if (!isQuantity(meter, quantity)) return undefined;
    quantities.push({ meter, quantity });
  }
  return quantities;
}

/** Tokens are whole; seconds of audio may not be. */
function isQuantity(meter: Meter, quantity: number): boolean {
  if (quantity < 0 || quantity > Number.MAX_SAFE_INTEGER) return false;
  return Number.isInteger(quantity) || (!isTokenMeter(meter) && parseRatio(String(quantity)) !== undefined);
}

type OpenLines = { charges: Charge[]; unpricedMeters: Meter[]; sum: bigint };

function priceAll(quantities: readonly Quantity[], sheet: PriceSheet): OpenLines {
  const lines: OpenLines = { charges: [], unpricedMeters: [], sum: 0n };
  for (const { meter, quantity } of quantities) {
    const price = sheet.get(meter);
    if (price === undefined) lines.unpricedMeters.push(meter);
    else addLine(lines, price, quantity);
  }
  return lines;
}

// An answer is one request, and no usage object says so: a price per request would otherwise never be charged.
function chargeRequest(meters: Meters, sheet: PriceSheet, lines: OpenLines): void {
  if (meters.request !== undefined) return;
  const price = sheet.get('request');
  if (price !== undefined) addLine(lines, price, 1);
}

function addLine(lines: OpenLines, price: MeterPrice, measured: number): void {
  const { meter, unitPrice, priceRow, minimum } = price;
  const quantity = measured < minimum ? minimum : measured;
  const amount = amountOf(price, quantity);
  lines.charges.push({ meter, quantity, unitPrice, amount, priceRow });
  lines.sum += amount;
}

function amountOf({ pico }: MeterPrice, quantity: number): PicoUsd {
  if (!Number.isInteger(quantity)) {
    const exact = parseRatio(String(quantity));
    invariant(exact !== undefined, `${quantity} is a quantity`);
    return picoUsd(divideHalfEven(exact.num * pico.num, exact.den * pico.den));
  }
  const scaled = BigInt(quantity) * pico.num;
  return picoUsd(pico.den === 1n ? scaled : divideHalfEven(scaled, pico.den));
}

function noLines(quantities: readonly Quantity[], failure: string): Lines {
  return { charges: [], sum: 0n, unpricedMeters: quantities.map(({ meter }) => meter), failure };
}
