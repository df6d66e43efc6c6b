import { invariant } from '#std';
import {
  inputTokens,
  isTokenMeter,
  METERS,
  picoUsd,
  sumUsd,
  type Charge,
  type CostState,
  type Meter,
  type PicoUsd,
  type RatedCost,
  type Usage,
} from '#terms';
import { divideHalfEven, parseRatio, toPico } from './amount.ts';
import { findSheet, type MeterPrice, type PriceMatch } from './price-sheet.ts';

/** What a fully priced cost is worth, by where its usage comes from. */
const STATES: Readonly<Record<Usage['origin'], CostState>> = {
  reported: 'exact',
  estimated: 'estimated',
  partly_estimated: 'partial_exact',
};

type Quantity = { readonly meter: Meter; readonly quantity: number };

type Priced = { readonly charges: readonly Charge[]; readonly unpricedMeters: readonly Meter[] };

/** More than this for one attempt is no amount of money, whatever a provider says. */
const MAX_REPORTED_USD = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * The exact cost of one attempt's usage. Each line is rounded once, half-even, to a pico-dollar; the cost is their sum. What
 * cannot be priced is named, never zero. A cost the provider reported wins, and the computed lines stay beside it.
 */
export function rate(usage: Usage, match: PriceMatch | undefined): RatedCost {
  const computed = compute(usage, match);
  if (usage.reportedCost === undefined) return computed;
  const cost = parseReportedCost(usage.reportedCost);
  if (cost === undefined) return { ...computed, reason: computed.reason ?? 'reported_cost_invalid' };
  return { ...computed, state: 'reported', cost, billed: cost, ...inconsistency(usage) };
}

function compute(usage: Usage, match: PriceMatch | undefined): RatedCost {
  const quantities = readQuantities(usage);
  if (quantities === undefined) return unpriced([], 'usage_inconsistent');
  if (match === undefined) return unpriced(quantities, 'model_without_price');
  const sheet = findSheet(match, inputTokens(usage.meters), usage.serviceTier ?? '');
  if (sheet === undefined) return unpriced(quantities, 'service_tier_without_price');
  const priced = priceAll(quantities, sheet);
  if (priced.charges.length === 0 && priced.unpricedMeters.length > 0)
    return unpriced(quantities, 'meter_without_price');
  const cost = sumUsd(priced.charges.map(({ amount }) => amount));
  return {
    state: priced.unpricedMeters.length > 0 ? 'incomplete' : STATES[usage.origin],
    cost,
    listCost: cost,
    billed: cost,
    computedCost: cost,
    terms: [],
    ...priced,
    ...inconsistency(usage),
  };
}

/** Undefined when a quantity is no quantity, or the usage contradicts itself so far that nothing of it is left. */
function readQuantities(usage: Usage): readonly Quantity[] | undefined {
  const quantities: Quantity[] = [];
  for (const meter of METERS) {
    const quantity = usage.meters[meter];
    if (quantity === undefined || quantity === 0) continue;
    if (!isQuantity(meter, quantity)) return undefined;
    quantities.push({ meter, quantity });
  }
  return usage.inconsistent === true && quantities.length === 0 ? undefined : quantities;
}

/** Tokens are whole; seconds of audio may not be. */
function isQuantity(meter: Meter, quantity: number): boolean {
  if (quantity < 0 || quantity > Number.MAX_SAFE_INTEGER) return false;
  return Number.isInteger(quantity) || (!isTokenMeter(meter) && parseRatio(String(quantity)) !== undefined);
}

function priceAll(quantities: readonly Quantity[], sheet: ReadonlyMap<Meter, MeterPrice>): Priced {
  const charges: Charge[] = [];
  const unpricedMeters: Meter[] = [];
  for (const { meter, quantity } of quantities) {
    const price = sheet.get(meter);
    if (price === undefined) unpricedMeters.push(meter);
    else {
      const { unitPrice, priceRow } = price;
      charges.push({ meter, quantity, unitPrice, amount: amountOf(price, quantity), priceRow });
    }
  }
  return { charges, unpricedMeters };
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

function parseReportedCost(text: string): PicoUsd | undefined {
  const usd = parseRatio(text);
  return usd === undefined || usd.num > MAX_REPORTED_USD * usd.den ? undefined : toPico(usd);
}

function unpriced(quantities: readonly Quantity[], reason: string): RatedCost {
  return {
    state: 'unpriced',
    cost: null,
    listCost: null,
    billed: null,
    computedCost: null,
    terms: [],
    charges: [],
    unpricedMeters: quantities.map(({ meter }) => meter),
    reason,
  };
}

function inconsistency(usage: Usage): { reason?: string } {
  return usage.inconsistent === true ? { reason: 'usage_inconsistent' } : {};
}
