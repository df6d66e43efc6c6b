import type { Accounts } from '#accounts';
import { createAdjustments, createRepricing, createResolutions, type JobDeps } from '#jobs';
import { makePriceBook, type PriceBook } from '#pricing';
import { DEFAULT_TAG_RULES } from '#tags';
import { createEstimator } from '#wires';
import type { AdminDeps } from './app.ts';
import { SILENT } from './silent.fixture.ts';
import { followPrices, type FileTerms } from './prices/current-prices.ts';
import type { PricingDeps } from './prices/price-routes.ts';

export type GivenPrices = Partial<Pick<PricingDeps, 'fileTerms' | 'providers' | 'routes'>> & {
  readonly book?: PriceBook;
  /** How budgets stand; nobody can say unless it is given. */
  readonly standings?: AdminDeps['standings'];
  readonly jobs?: (accounts: Accounts, current: PricingDeps['current']) => JobDeps;
};

export type OpenPricing = {
  readonly parts: Pick<AdminDeps, 'pricing' | 'byHand' | 'ledger' | 'standings' | 'routes'>;
  close(): Promise<void>;
};

const NO_FILE: FileTerms = { terms: [], places: {} };

/** Prices on their own: no list, provider, route or file unless one is given, and nothing recorded to price anew. */
export function openPricing(accounts: Accounts, given: GivenPrices = {}): OpenPricing {
  const estimator = createEstimator();
  const { book = makePriceBook([]), fileTerms = NO_FILE, providers = [], routes = [] } = given;
  const current = followPrices({ accounts, book, fileTerms, log: SILENT });
  const jobs = given.jobs?.(accounts, current);
  const pricing: PricingDeps = {
    current,
    fileTerms,
    providers,
    routes,
    estimator,
    repricing: jobs === undefined ? NO_LEDGER : createRepricing(jobs),
  };
  const byHand = jobs === undefined ? { adjustments: NO_LEDGER, resolutions: NO_LEDGER } : openByHand(accounts, jobs);
  const standings = given.standings ?? (async () => null);
  return {
    parts: { pricing, byHand, ledger: NO_PROOFS, standings, routes: async () => [] },
    close: () => estimator.close(),
  };
}

function openByHand(accounts: Accounts, jobs: JobDeps): AdminDeps['byHand'] {
  const key = (reference: string) => accounts.infoOf(reference);
  return {
    adjustments: createAdjustments({ ...jobs, key, tagRules: DEFAULT_TAG_RULES }),
    resolutions: createResolutions(jobs),
  };
}

const NO_PROOFS: AdminDeps['ledger'] = {
  chain: { roots: () => [], state: () => ({ seq: 0, head: '', failing: null }) },
  erasures: { request: () => noLedger(), list: () => [] },
  batches: { readOpen: async () => [], readEnded: async () => [] },
};

const noLedger = (): Promise<never> => Promise.reject(new Error('these tests have no ledger'));

const NO_LEDGER = {
  preview: noLedger,
  apply: noLedger,
  add: noLedger,
  list: noLedger,
  resolve: noLedger,
  previewMany: noLedger,
  applyMany: noLedger,
  inDoubt: noLedger,
};
