import type { FastifyInstance } from 'fastify';
import type { Accounts } from '#accounts';
import type { ModelRoute, ProviderConfig } from '#config';
import type { Repricing } from '#jobs';
import type { Clock } from '#std';
import type { Estimator } from '#wires';
import type { CurrentPrices, FileTerms } from './current-prices.ts';
import { listPrices, parsePricesQuery } from './price-list.ts';
import { addPriceTermRoutes } from './price-term-routes.ts';
import { quote } from './quote.ts';
import { toWireQuote } from './quote-answer.ts';
import { parseQuoteRequest } from './quote-request.ts';
import { addRepriceRoutes } from './reprice-routes.ts';
import { calculateSpend } from './spend-calculate.ts';

/** What this process knows of prices beside the control plane. */
export type PricingDeps = {
  /** Public lists and the operator's terms as they hold now: `followPrices`. */
  readonly current: () => CurrentPrices;
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
  readonly pricing: PricingDeps;
};

/** What everything costs, who says so, and what a call would cost or did. */
export function addPriceRoutes(app: FastifyInstance, deps: PriceRouteDeps): void {
  const { accounts, clock, pricing } = deps;
  const { current } = pricing;
  app.get('/v1/prices', async ({ query }) => {
    const now = clock.now();
    return listPrices(current(), parsePricesQuery(query, now), now);
  });
  app.post('/v1/prices/quote', async ({ body }) =>
    toWireQuote(await quote(pricing, parseQuoteRequest(body, clock.now())), current().book),
  );
  app.post('/spend/calculate', ({ body }) => calculateSpend(pricing, body, clock.now()));
  addPriceTermRoutes(app, { accounts, clock, fileTerms: pricing.fileTerms, current });
  addRepriceRoutes(app, { repricing: pricing.repricing, clock });
}
