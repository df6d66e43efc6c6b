import { makePriceBook, type PriceBook } from '#pricing';
import { createEstimator } from '#wires';
import type { PricingDeps } from './prices/price-routes.ts';

export type OpenPricing = { readonly pricing: PricingDeps; close(): Promise<void> };

/** Prices on their own: no provider, no route and no file unless one is given, and nothing recorded to price anew. */
export function openPricing(given: Partial<PricingDeps> = {}): OpenPricing {
  const estimator = createEstimator();
  const pricing: PricingDeps = {
    book: NO_PRICES,
    fileTerms: { terms: [], places: {} },
    providers: [],
    routes: [],
    estimator,
    repricing: { preview: async () => NOTHING_CHANGED, apply: async () => NOTHING_CHANGED },
    ...given,
  };
  return { pricing, close: () => estimator.close() };
}

const NO_PRICES: PriceBook = makePriceBook([]);

const NOTHING_CHANGED = { examined: 0, changed: 0 };
