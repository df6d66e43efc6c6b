import { picoUsd, type CostState, type Meter, type Meters, type PicoUsd, type RatedCost, type Usage } from '#terms';
import { divideHalfEven, multiply, parseRatio, toPico, type Ratio } from './amount.ts';
import { chargeLines, type Lines } from './charge-lines.ts';
import type { PriceMatch, Served } from './price-match.ts';

/** What a fully priced cost is worth, by where its usage comes from. */
const STATES: Readonly<Record<Usage['origin'], CostState>> = {
  reported: 'exact',
  estimated: 'estimated',
  partly_estimated: 'partial_exact',
};

/** More than this for one attempt is no amount of money, whatever a provider says. */
const MAX_REPORTED_USD = BigInt(Number.MAX_SAFE_INTEGER);

/** What is agreed about one model's usage: a share off its list cost, or prices of its own. */
export type Agreement = { readonly id: string } & ({ readonly kept: Ratio } | { readonly match: PriceMatch });

/** Some of the usage, all of one model, and the prices that hold for it. */
export type PricedPart = {
  readonly meters: Meters;
  readonly list: PriceMatch | undefined;
  readonly agreement: Agreement | null;
};

/** The share that is charged on: 1 and the markup. */
export type ChargedOn = { readonly id: string; readonly times: Ratio };

/** One model's lines: at the list, at what holds for us, and the exact cost of them in pico-dollars. */
type RatedPart = { readonly list: Lines; readonly own: Lines; readonly cost: Ratio };

/**
 * The exact cost of one attempt's usage at list prices. Each line is rounded once, half-even, to a pico-dollar; the cost is
 * their sum. What cannot be priced is named, never zero. A cost the provider reported wins, and the computed lines stay beside it.
 */
export function rate(usage: Usage, match: PriceMatch | undefined, region = ''): RatedCost {
  const computed = computeAtList(usage, match, region);
  return usage.reportedCost === undefined ? computed : settle(usage, { rated: computed, exact: null }, null);
}

/** The same for usage of several models, and with what was agreed about each of them. */
export function rateParts(
  usage: Usage,
  parts: readonly PricedPart[],
  charged: { readonly region: string; readonly on: ChargedOn | null },
): RatedCost {
  return settle(usage, computeParts(usage, parts, charged.region), charged.on);
}

function servedOf(usage: Usage, region: string): Served {
  // What the answer says of itself comes before what the operator says of the deployment.
  const geo = usage.geo === undefined || usage.geo === '' ? region : usage.geo;
  return { serviceTier: usage.serviceTier ?? '', geo };
}

/** `exact` is the cost before it was rounded, in pico-dollars; null where there is none. */
type Computed = { readonly rated: RatedCost; readonly exact: Ratio | null };

function computeAtList(usage: Usage, match: PriceMatch | undefined, region: string): RatedCost {
  const lines = chargeLines(usage.meters, match, servedOf(usage, region));
  if (lines === undefined || isContradiction(usage, lines)) return unpriced([], 'usage_inconsistent');
  if (lines.failure !== null) return unpriced(lines.unpricedMeters, lines.failure);
  const cost = picoUsd(lines.sum);
  const complete = lines.unpricedMeters.length === 0;
  return {
    state: complete ? STATES[usage.origin] : 'incomplete',
    cost,
    listCost: complete ? cost : null,
    billed: cost,
    computedCost: cost,
    terms: [],
    charges: lines.charges,
    unpricedMeters: lines.unpricedMeters,
    ...inconsistency(usage),
  };
}

function computeParts(usage: Usage, parts: readonly PricedPart[], region: string): Computed {
  const served = servedOf(usage, region);
  const rated: RatedPart[] = [];
  for (const part of parts) {
    const one = ratePart(part, served);
    if (one === undefined) return { rated: unpriced([], 'usage_inconsistent'), exact: null };
    rated.push(one);
  }
  if (rated.every(({ own }) => isContradiction(usage, own)))
    return { rated: unpriced([], 'usage_inconsistent'), exact: null };
  const unpricedMeters = [...new Set(rated.flatMap(({ own }) => own.unpricedMeters))];
  const charges = rated.flatMap(({ own }) => own.charges);
  const failure = rated.find(({ own }) => own.failure !== null)?.own.failure ?? null;
  if (failure !== null && charges.length === 0) return { rated: unpriced(unpricedMeters, failure), exact: null };
  const exact = rated.reduce((sum, { cost }) => add(sum, cost), { num: 0n, den: 1n });
  const cost = picoUsd(divideHalfEven(exact.num, exact.den));
  const listed = rated.every(({ list }) => list.failure === null && list.unpricedMeters.length === 0);
  const sum: RatedCost = {
    state: unpricedMeters.length === 0 && failure === null ? STATES[usage.origin] : 'incomplete',
    cost,
    listCost: listed ? picoUsd(rated.reduce((total, { list }) => total + list.sum, 0n)) : null,
    billed: cost,
    computedCost: cost,
    terms: [...new Set(parts.flatMap(({ agreement }) => (agreement === null ? [] : [agreement.id])))],
    charges,
    unpricedMeters,
    ...(failure === null ? {} : { reason: failure }),
    ...inconsistency(usage),
  };
  return { rated: sum, exact };
}

function ratePart({ meters, list: match, agreement }: PricedPart, served: Served): RatedPart | undefined {
  const list = chargeLines(meters, match, served);
  const own = agreement !== null && 'match' in agreement ? chargeLines(meters, agreement.match, served) : list;
  if (list === undefined || own === undefined) return undefined;
  const kept = agreement !== null && 'kept' in agreement ? agreement.kept : { num: 1n, den: 1n };
  return { list, own, cost: { num: own.sum * kept.num, den: kept.den } };
}

/** From what was computed to what counts: the reported cost where there is one, and what is charged on. */
function settle(usage: Usage, computed: Computed, on: ChargedOn | null): RatedCost {
  const reported = usage.reportedCost === undefined ? undefined : parseReportedCost(usage.reportedCost);
  let { rated, exact } = computed;
  if (reported !== undefined) {
    exact = { num: reported, den: 1n };
    rated = { ...rated, state: 'reported', cost: reported, billed: reported, ...inconsistency(usage) };
  } else if (usage.reportedCost !== undefined) {
    rated = { ...rated, reason: rated.reason ?? 'reported_cost_invalid' };
  }
  if (on === null || exact === null) return rated;
  const charged = multiply(exact, on.times);
  return { ...rated, billed: picoUsd(divideHalfEven(charged.num, charged.den)), terms: [...rated.terms, on.id] };
}

/** The usage contradicts itself so far that nothing of it is left to price. */
function isContradiction(usage: Usage, lines: Lines): boolean {
  return usage.inconsistent === true && lines.charges.length === 0 && lines.unpricedMeters.length === 0;
}

function parseReportedCost(text: string): PicoUsd | undefined {
  const usd = parseRatio(text);
  return usd === undefined || usd.num > MAX_REPORTED_USD * usd.den ? undefined : toPico(usd);
}

function unpriced(unpricedMeters: readonly Meter[], reason: string): RatedCost {
  return {
    state: 'unpriced',
    cost: null,
    listCost: null,
    billed: null,
    computedCost: null,
    terms: [],
    charges: [],
    unpricedMeters,
    reason,
  };
}

function inconsistency(usage: Usage): { reason?: string } {
  return usage.inconsistent === true ? { reason: 'usage_inconsistent' } : {};
}

function add(left: Ratio, right: Ratio): Ratio {
  return { num: left.num * right.den + right.num * left.den, den: left.den * right.den };
}
