/**
 * Is: HTTP for everything but calls: analytics, keys, prices, sign-in, dashboard files; a Fastify app on a unix socket.
 * Owns: routes, who may use each, cookies, error answers. Not: what a report, a key or a price means.
 * Holds: every route declares who may use it, or the app does not start; a cookie changes nothing from another origin.
 * Fails: OpenAI's error envelope for everything, `internal_error` for bugs, which are logged.
 */
export { createAdmin, type AdminDeps } from './app.ts';
export { followPrices, type CurrentPrices, type FileTerms } from './prices/current-prices.ts';
export { type PricingDeps } from './prices/price-routes.ts';
