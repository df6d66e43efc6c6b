import type { FastifyInstance } from 'fastify';
import type { Accounts } from '#accounts';
import type { ModelRoute, ProviderConfig } from '#config';
import type { Log } from '#observe';
import type { PriceBook } from '#pricing';
import type { Clock } from '#std';
import type { Estimator } from '#wires';
import { followPrices, type FileTerms } from './current-prices.ts';
import { listPrices, parsePricesQuery } from './price-list.ts';
import { addPriceTermRoutes } from './price-term-routes.ts';
import { quote } from './quote.ts';
import { toWireQuote } from './quote-answer.ts';
import { parseQuoteRequest } from './quote-request.ts';
import { addRepriceRoutes, type Repricing } from './reprice-routes.ts';
import { calculateSpend } from './spend-calculate.ts';

/** What this process knows of prices beside the control plane. */
export type PricingDeps = {
  /** The public prices. */
  readonly book: PriceBook;
  /** The operator's terms in the configuration file. */
  readonly fileTerms: FileTerms;
  readonly providers: readonly ProviderConfig[];
  readonly routes: readonly ModelRoute[];
  readonly estimator: Estimator;
  readonly repricing: Repricing;
};

export type PriceRouteDeps = {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly log: Log;
  readonly pricing: PricingDeps;
};

const ADMIN = { config: { access: 'admin' } } as const;

/** What everything costs, who says so, and what a call would cost or did. */
export function addPriceRoutes(app: FastifyInstance, deps: PriceRouteDeps): void {
  const { accounts, clock, log, pricing } = deps;
  const current = followPrices({ accounts, log, book: pricing.book, fileTerms: pricing.fileTerms });
  const quoteDeps = { ...pricing, current };
  app.get('/v1/prices', ADMIN, async ({ query }) => {
    const now = clock.now();
    return listPrices(current(), parsePricesQuery(query, now), now);
  });
  app.post('/v1/prices/quote', ADMIN, async ({ body }) =>
    toWireQuote(await quote(quoteDeps, parseQuoteRequest(body, clock.now())), current().book),
  );
  app.post('/spend/calculate', ADMIN, ({ body }) => calculateSpend(quoteDeps, body, clock.now()));
  addPriceTermRoutes(app, { accounts, clock, fileTerms: pricing.fileTerms, current });
  addRepriceRoutes(app, { repricing: pricing.repricing, clock });
}
