import type { Accounts } from '#accounts';
import type { Repricing } from '#jobs';
import { makePriceBook, type PriceBook } from '#pricing';
import { createEstimator } from '#wires';
import { SILENT } from './silent.fixture.ts';
import { followPrices, type FileTerms } from './prices/current-prices.ts';
import type { PricingDeps } from './prices/price-routes.ts';

export type GivenPrices = Partial<Pick<PricingDeps, 'fileTerms' | 'providers' | 'routes'>> & {
  readonly book?: PriceBook;
  readonly repricing?: (accounts: Accounts, current: PricingDeps['current']) => Repricing;
};

export type OpenPricing = { readonly pricing: PricingDeps; close(): Promise<void> };

const NO_FILE: FileTerms = { terms: [], places: {} };

/** Prices on their own: no list, provider, route or file unless one is given, and nothing recorded to price anew. */
export function openPricing(accounts: Accounts, given: GivenPrices = {}): OpenPricing {
  const estimator = createEstimator();
  const { book = makePriceBook([]), fileTerms = NO_FILE, providers = [], routes = [], repricing } = given;
  const current = followPrices({ accounts, book, fileTerms, log: SILENT });
  const pricing: PricingDeps = {
    current,
    fileTerms,
    providers,
    routes,
    estimator,
    repricing: repricing?.(accounts, current) ?? NO_LEDGER,
  };
  return { pricing, close: () => estimator.close() };
}

const noLedger = (): Promise<never> => Promise.reject(new Error('these tests have no ledger'));

const NO_LEDGER: Repricing = { preview: noLedger, apply: noLedger };
