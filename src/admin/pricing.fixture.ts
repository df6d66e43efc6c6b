import type { Accounts } from '#accounts';
import { makePriceBook, type PriceBook } from '#pricing';
import { createEstimator } from '#wires';
import { SILENT } from './silent.fixture.ts';
import { followPrices, type FileTerms } from './prices/current-prices.ts';
import type { PricingDeps } from './prices/price-routes.ts';

export type GivenPrices = Partial<Omit<PricingDeps, 'current' | 'estimator'>> & { readonly book?: PriceBook };

export type OpenPricing = { readonly pricing: PricingDeps; close(): Promise<void> };

const NO_FILE: FileTerms = { terms: [], places: {} };

/** Prices on their own: no list, provider, route or file unless one is given, and nothing recorded to price anew. */
export function openPricing(accounts: Accounts, given: GivenPrices = {}): OpenPricing {
  const estimator = createEstimator();
  const { book = makePriceBook([]), fileTerms = NO_FILE, providers = [], routes = [], repricing } = given;
  const pricing: PricingDeps = {
    current: followPrices({ accounts, book, fileTerms, log: SILENT }),
    fileTerms,
    providers,
    routes,
    estimator,
    repricing: repricing ?? NO_LEDGER,
  };
  return { pricing, close: () => estimator.close() };
}

const noLedger = (): Promise<never> => Promise.reject(new Error('these tests have no ledger'));

const NO_LEDGER: PricingDeps['repricing'] = { preview: noLedger, apply: noLedger };
