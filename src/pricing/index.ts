/**
 * Is: the price book, and the exact cost of usage by it.
 * Owns: price rows, their history and matching, rating, the upper bound of a call. Not: reading answers, storing entries.
 * Holds: each line is rounded once, half-even, to a pico-dollar; an unknown price is named, never zero (SPEC.md).
 * Fails: `PriceFileError` names file, row and field; rating never throws, its states and reasons are in the result.
 */
export { loadPriceBook, loadSeed } from './load.ts';
export { makePriceBook, type PriceBook, type PriceQuery } from './price-book.ts';
export { type PriceMatch } from './price-match.ts';
export {
  PRICE_LAYERS,
  type ContextTier,
  type DayWindow,
  type GeoPrice,
  type Match,
  type PriceLayer,
  type PriceRow,
  type RatePrice,
  type Rates,
  type ServiceTierPrice,
} from './price-row.ts';
export { PriceFileError } from './overlay.ts';
export { combineTerms, parsePriceTerm } from './parse-price-term.ts';
export { makePrices, type Payer, type PricedAttempt, type Prices } from './prices.ts';
export { NO_TERMS, type Contract, type Markup, type PriceTerms } from './price-term.ts';
export { diffRows, type RowChange } from './row-diff.ts';
export { type Seed } from './seed.ts';
export { type TokenBound } from './upper-bound.ts';
export { parseWhatIf, type WhatIf, type WhatIfModel } from './what-if.ts';
