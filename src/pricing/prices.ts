import type { TimestampMs } from '#std';
import type { PicoUsd, RatedCost, Usage } from '#terms';
import type { PriceBook } from './price-book.ts';
import { rate } from './rate.ts';
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

export function makePrices(book: PriceBook): Prices {
  const find = ({ provider, answered, asked, at }: PricedAttempt) =>
    // What answered is what is billed; a name the price book does not know is an alias of what was asked for.
    (answered === '' ? undefined : book.find({ provider, model: answered, at })) ??
    book.find({ provider, model: asked, at });
  return {
    version: book.version,
    price: (usage, attempt) => rate(usage, find(attempt)),
    bound: (attempt, bound) => upperBound(find(attempt), bound),
    models: (provider) => book.models(provider),
  };
}
