import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { openAccounts, type Accounts } from '#accounts';
import type { Alerts } from '#alerts';
import type { StoreReader } from '#analytics';
import type { OidcConfig } from '#config';
import { systemClock } from '#std';
import { openAlertsOn, type GivenAlerts } from './alerts.fixture.ts';
import { createAdmin } from './app.ts';
import { openPricing, type GivenPrices } from './pricing.fixture.ts';
import { SILENT } from './silent.fixture.ts';

export const ADMIN_KEY = 'sk-ap-admin-test-0123456789';

const EMPTY_STORE: StoreReader = {
  asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
  query: async () => [],
};

type Answer = { readonly status: number; readonly body: unknown };

/** Administration on its own: no gateway before it, and nothing in the store unless one is given. */
export type OpenAdmin = {
  readonly app: FastifyInstance;
  readonly accounts: Accounts;
  readonly alerts: Alerts;
  readonly callKey: string;
  /** Asks with the admin key. A `body` makes it a POST. */
  ask(url: string, body?: InjectOptions['payload'], method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'): Promise<Answer>;
  close(): Promise<void>;
};

export async function openAdmin(
  store: StoreReader = EMPTY_STORE,
  given: GivenPrices & { readonly oidc?: OidcConfig } & GivenAlerts = {},
): Promise<OpenAdmin> {
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  const { callKey } = await accounts.bootstrap({ adminKey: ADMIN_KEY });
  const { parts, close: closePricing } = openPricing(accounts, given);
  const alerts = await openAlertsOn(accounts, store, given);
  const app = await createAdmin({
    accounts,
    oidc: given.oidc ?? null,
    store,
    alerts,
    ...parts,
    clock: systemClock,
    log: SILENT,
    dashboardDir: tmpdir(),
  });
  return {
    app,
    accounts,
    alerts,
    callKey: callKey ?? '',
    ask: async (url, body, method = 'POST') => {
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      const answer = await app.inject(body === undefined ? { url, headers } : { url, method, headers, payload: body });
      return { status: answer.statusCode, body: answer.json() };
    },
    close: async () => {
      await app.close();
      await alerts.close();
      await closePricing();
      await accounts.close();
    },
  };
}
