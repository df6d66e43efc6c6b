import fastifyCookie from '@fastify/cookie';
import { fastify, type FastifyInstance } from 'fastify';
import type { Accounts } from '#accounts';
import type { Alerts } from '#alerts';
import type { StoreReader } from '#analytics';
import type { OidcConfig } from '#config';
import type { Log } from '#observe';
import type { Clock } from '#std';
import { guardRoutes } from './access.ts';
import { addAlertRoutes } from './alert-routes.ts';
import { addAdjustmentRoutes, type AdjustmentRouteDeps } from './adjustment-routes.ts';
import { addAnalyticsRoutes } from './analytics-routes.ts';
import { addAuditRoutes } from './audit-routes.ts';
import { addDashboardFiles } from './dashboard-files.ts';
import { addBudgetRoutes } from './budgets/budget-routes.ts';
import { addLimitRoutes } from './budgets/limit-routes.ts';
import { addRuleFileRoutes } from './budgets/rule-file-routes.ts';
import { type Standings } from './budgets/standings.ts';
import { answerErrors } from './error-answers.ts';
import { readJsonBodies } from './json-bodies.ts';
import { addKeyRoutes } from './key-routes.ts';
import { addLedgerRoutes, type LedgerRouteDeps } from './ledger-routes.ts';
import { addMemberRoutes } from './member-routes.ts';
import { addOidcRoutes } from './oidc-routes.ts';
import { addPriceRoutes, type PricingDeps } from './prices/price-routes.ts';
import { addResolutionRoutes, type ResolutionRouteDeps } from './resolution-routes.ts';
import { addRouteRoutes, type RouteStandings } from './route-routes.ts';
import { addSessionRoutes } from './session-routes.ts';
import { addSpendRoutes } from './spend-routes.ts';
import { addCustomerRoutes } from './subjects/customer-routes.ts';
import { addPlanRoutes } from './subjects/plan-routes.ts';
import { addUserRoutes } from './subjects/user-routes.ts';
import { addTagReportRoutes } from './tag-report-routes.ts';
import { addTagRoutes } from './tag-routes.ts';
import { addTeamRoutes } from './team-routes.ts';
import { addTokenRoutes } from './token-routes.ts';

export type AdminDeps = {
  readonly accounts: Accounts;
  /** Null: nobody signs in elsewhere. */
  readonly oidc: OidcConfig | null;
  readonly store: StoreReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly pricing: PricingDeps;
  readonly byHand: AdjustmentRouteDeps & ResolutionRouteDeps;
  readonly ledger: LedgerRouteDeps;
  readonly standings: Standings;
  readonly routes: RouteStandings;
  readonly alerts: Alerts;
  /** The built dashboard (`dashboard/dist`); may be absent. */
  readonly dashboardDir: string;
};

/** Requests here carry a key, a name, some tags; nothing is large. */
const BODY_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 60_000;

/** The app, not yet listening: `await app.listen({ path })` on the socket the gateway forwards to. */
export async function createAdmin(deps: AdminDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Requests come over kept connections of the gateway; close must not wait for those.
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
  });
  answerErrors(app, deps);
  readJsonBodies(app);
  await app.register(fastifyCookie);
  guardRoutes(app, deps);
  app.addHook('onSend', async (_, reply) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  });
  addAnalyticsRoutes(app, deps);
  addKeyRoutes(app, deps);
  addTeamRoutes(app, deps);
  addTagRoutes(app, deps);
  addTagReportRoutes(app, deps);
  addSpendRoutes(app, deps);
  addPriceRoutes(app, deps);
  addAdjustmentRoutes(app, deps.byHand);
  addResolutionRoutes(app, deps.byHand);
  addPlanRoutes(app, deps);
  addCustomerRoutes(app, deps);
  addUserRoutes(app, deps);
  addBudgetRoutes(app, deps);
  addLimitRoutes(app, deps);
  addRuleFileRoutes(app, deps);
  addAlertRoutes(app, deps);
  addLedgerRoutes(app, deps.ledger);
  addRouteRoutes(app, deps);
  addAuditRoutes(app, deps);
  addMemberRoutes(app, deps);
  addTokenRoutes(app, deps);
  addSessionRoutes(app, deps);
  addOidcRoutes(app, deps);
  await addDashboardFiles(app, deps);
  return app;
}
