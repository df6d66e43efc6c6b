import { combineOperatorTerms, type Accounts, type StoredPriceTerm } from '#accounts';
import type { Config } from '#config';
import type { Log } from '#observe';
import { combineTerms, makePriceBook, makePrices, parsePriceTerm, type PriceBook, type Prices } from '#pricing';
import type { TimestampMs } from '#std';
import { findTermEnds, inOrderOfTime } from './term-ends.ts';

/** The operator's terms as the configuration file states them, and where each stands. */
export type FileTerms = Config['prices'];

/** What holds now: public lists under the operator's own terms. */
export type CurrentPrices = {
  readonly prices: Prices;
  /** When each of the operator's terms ends. */
  readonly ends: ReadonlyMap<string, TimestampMs | null>;
  /** Public rows and the operator's under one roof, to find a model by any of its names. */
  readonly book: PriceBook;
};

export type CurrentPricesDeps = {
  readonly accounts: Accounts;
  readonly book: PriceBook;
  readonly fileTerms: FileTerms;
  readonly log: Log;
};

/** Made anew only when the operator's terms have changed. */
export function followPrices({ accounts, book, fileTerms, log }: CurrentPricesDeps): () => CurrentPrices {
  const inFile = combineTerms(fileTerms.terms.map((term, index) => parsePriceTerm(term, `prices[${index}]`)));
  let known: { readonly stored: readonly StoredPriceTerm[]; readonly current: CurrentPrices } | null = null;
  return () => {
    const stored = accounts.ring.priceTerms;
    if (known?.stored !== stored) {
      const { terms, faults } = combineOperatorTerms(inFile, stored);
      for (const fault of faults) log.error({ fault }, 'a stored price is left out: this version cannot read it');
      const ends = findTermEnds(terms);
      const current = {
        prices: makePrices(book, terms),
        ends,
        book: makePriceBook([...inOrderOfTime(terms.rows, ends), ...book.rows]),
      };
      known = { stored, current };
    }
    return known.current;
  };
}
