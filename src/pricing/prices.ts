import { invariant, type TimestampMs } from '#std';
import { picoUsd, type PicoUsd, type RatedCost, type Usage } from '#terms';
import { divideUp, parseRatio, type Ratio } from './amount.ts';
import { coverMatch, indexModelPrices, type ModelPrices } from './model-prices.ts';
import { hashRows, matchAt, type PriceBook } from './price-book.ts';
import { tierName } from './price-match.ts';
import { NO_TERMS, type Contract, type Markup, type PriceTerms } from './price-term.ts';
import { rate, rateParts, type Agreement, type ChargedOn, type PricedPart } from './rate.ts';
import { upperBound, type TokenBound } from './upper-bound.ts';

/** Whose price is asked for. */
export type PricedAttempt = {
  /** The provider whose public list applies. */
  readonly provider: string;
  /** The configured provider, whose own rows and contracts come first. */
  readonly account: string;
  /** The model that answered; empty when the answer did not say. */
  readonly answered: string;
  /** The model that was asked for, which holds where the answer's name is not known. */
  readonly asked: string;
  /** Where the account's deployment is; empty where nobody said. */
  readonly region: string;
  readonly at: TimestampMs;
  readonly payer: Payer;
};

/** Who is charged on, for markups. */
export type Payer = {
  readonly key: string;
  readonly team: string;
  readonly dimensions: ReadonlyMap<string, { readonly value: string }>;
};

/** The price book and the operator's terms together: what the call path asks. */
export type Prices = {
  /** Names the rows and the terms; kept in each entry. */
  readonly version: string;
  price(usage: Usage, attempt: PricedAttempt): RatedCost;
  /** The provable most an attempt can cost; null when it cannot be bounded. */
  bound(attempt: PricedAttempt, bound: TokenBound): PicoUsd | null;
  /** Canonical names of a provider's priced models, sorted. */
  models(provider: string): readonly string[];
};

/** @param terms strongest first: of contracts and markups the first that matches holds */
export function makePrices(book: PriceBook, terms: PriceTerms = NO_TERMS): Prices {
  const index = indexModelPrices(book, terms);
  const shares = readShares(terms);
  const none = terms.rows.length + terms.contracts.length + terms.markups.length === 0;
  return {
    version: none ? book.version : `${book.version}+${hashRows(terms).slice(0, 8)}`,
    models: (provider) => index.models(provider),
    price: (usage, attempt) => {
      const prices = index.find(attempt);
      if (usage.others === undefined && prices.contracts.length === 0 && prices.markups.length === 0)
        return rate(usage, matchAt(prices.timeline, attempt.at), attempt.region);
      const scope = scopeOf(usage, attempt);
      const partOf = (own: ModelPrices, meters: Usage['meters']): PricedPart => ({
        meters,
        list: matchAt(own.timeline, attempt.at),
        agreement: findAgreement(own, scope, shares),
      });
      const others = (usage.others ?? []).map(({ model, meters }) =>
        partOf(index.find({ ...attempt, answered: '', asked: model }), meters),
      );
      const main = partOf(prices, usage.meters);
      // What only other models consumed (an image drawn by one) needs no price of the model that was asked.
      const parts = others.length > 0 && isEmpty(usage.meters) ? others : [main, ...others];
      return rateParts(usage, parts, { region: attempt.region, on: findMarkup(prices, attempt, shares) });
    },
    bound: (attempt, bound) => boundOf(index.find(attempt), { attempt, bound, shares }),
  };
}

/** What contracts leave of the list cost, and what markups make of the cost, read once. */
type Shares = ReadonlyMap<Contract | Markup, Ratio>;

function readShares(terms: PriceTerms): Shares {
  const shares = new Map<Contract | Markup, Ratio>();
  for (const contract of terms.contracts) {
    if (!('discount' in contract)) continue;
    const { num, den } = readShare(contract.id, contract.discount);
    invariant(num <= den, `the discount of ${contract.id} is at most all of it`);
    shares.set(contract, { num: den - num, den });
  }
  for (const markup of terms.markups) {
    const { num, den } = readShare(markup.id, markup.markup);
    shares.set(markup, { num: den + num, den });
  }
  return shares;
}

function readShare(id: string, text: string): Ratio {
  const share = parseRatio(text);
  invariant(share !== undefined, `${id} has a share: ${text}`);
  return share;
}

type Scope = { readonly at: TimestampMs; readonly serviceTier: string; readonly region: string };

function scopeOf(usage: Usage, { at, region }: PricedAttempt): Scope {
  const where = region === '' ? (usage.geo ?? '') : region;
  return { at, serviceTier: tierName(usage.serviceTier ?? ''), region: where.toLowerCase() };
}

function findAgreement(prices: ModelPrices, scope: Scope, shares: Shares): Agreement | null {
  const contract = prices.contracts.find(
    (one) =>
      holds(one, scope.at) &&
      (one.serviceTier === null || one.serviceTier === scope.serviceTier) &&
      (one.region === null || one.region === scope.region),
  );
  if (contract === undefined) return null;
  if ('rates' in contract) return { id: contract.id, match: coverMatch(prices, contract, scope.at) };
  const kept = shares.get(contract);
  invariant(kept !== undefined, `the discount of ${contract.id} was read`);
  return { id: contract.id, kept };
}

function findMarkup(prices: ModelPrices, { at, payer }: PricedAttempt, shares: Shares): ChargedOn | null {
  const markup = prices.markups.find(
    ({ team, key, tag, ...one }) =>
      holds(one, at) &&
      (team === null || team === payer.team) &&
      (key === null || key === payer.key) &&
      (tag === null || payer.dimensions.get(tag.key)?.value === tag.value),
  );
  const times = markup === undefined ? undefined : shares.get(markup);
  return markup === undefined || times === undefined ? null : { id: markup.id, times };
}

function holds(term: Pick<Contract, 'effectiveFrom' | 'effectiveTo'>, at: TimestampMs): boolean {
  return (
    (term.effectiveFrom === null || at >= term.effectiveFrom) && (term.effectiveTo === null || at < term.effectiveTo)
  );
}

function isEmpty(meters: Usage['meters']): boolean {
  return Object.values(meters).every((quantity) => quantity === 0);
}

type BoundAsked = { readonly attempt: PricedAttempt; readonly bound: TokenBound; readonly shares: Shares };

/** The dearest of what may hold: which tier will be served, and where, is not known before the answer. */
function boundOf(prices: ModelPrices, { attempt, bound, shares }: BoundAsked): PicoUsd | null {
  const list = upperBound(matchAt(prices.timeline, attempt.at), bound);
  const region = attempt.region.toLowerCase();
  let dearest = 0n;
  for (const contract of prices.contracts) {
    const elsewhere = contract.region !== null && region !== '' && contract.region !== region;
    const { serviceTier } = contract;
    const otherTier = serviceTier !== null && bound.serviceTier !== undefined && serviceTier !== bound.serviceTier;
    if (elsewhere || otherTier || !holds(contract, attempt.at)) continue;
    const own = 'rates' in contract ? upperBound(coverMatch(prices, contract, attempt.at), bound) : list;
    if (own === null) return null;
    const kept = shares.get(contract);
    const most = kept === undefined ? own : divideUp(own * kept.num, kept.den);
    if (most > dearest) dearest = most;
    // Whatever is served, this contract holds before any other and before the list.
    if (serviceTier === null && (contract.region === null || contract.region === region)) return picoUsd(dearest);
  }
  return list === null ? null : picoUsd(list > dearest ? list : dearest);
}
