import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Accounts } from '#accounts';
import { bearerToken } from '#http';
import { invariant } from '#std';
import { ApportionError } from '#terms';

/** Who may use a route: anybody, or who shows the admin key or a session that began with it. */
type Access = 'public' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
}

export const SESSION_COOKIE = 'apportion_session';

const HINT = 'Send the admin key as "Authorization: Bearer …", or sign in to the dashboard.';

/** Checks every request before its body is read. A route that does not say who may use it is a bug found at start. */
export function guardRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  app.addHook('onRoute', ({ url, method, config }) => {
    invariant(config?.access !== undefined, `the route ${String(method)} ${url} declares who may use it`);
  });
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.access === 'admin') await requireAdmin(request, deps.accounts);
  });
}

async function requireAdmin(request: FastifyRequest, accounts: Accounts): Promise<void> {
  const token = bearerToken(request.headers);
  if (token !== undefined) {
    requireAdminKey(token, accounts);
    return;
  }
  const session = request.cookies[SESSION_COOKIE];
  if (session === undefined || (await accounts.findUiSession(session)) === undefined) {
    const message = session === undefined ? 'This needs the admin key.' : 'The session has ended.';
    throw new ApportionError('missing_key', message, { hint: HINT });
  }
  // SameSite=Strict keeps other sites' requests without the cookie; this holds where a browser or a neighbour under the
  // same site does not.
  if (!isSafe(request.method)) requireSameOrigin(request);
}

/** Throws unless `token` is the admin key. */
export function requireAdminKey(token: string, accounts: Accounts): void {
  const identity = accounts.ring.identify(token);
  if (identity?.kind === 'admin') return;
  if (identity?.kind === 'key') {
    throw new ApportionError('not_allowed', 'A call key may make calls, not read reports or administer.', {
      hint: HINT,
    });
  }
  throw new ApportionError('invalid_key', 'This is not the admin key.', { hint: HINT });
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Browsers send `Origin` with every request that may change something. */
export function requireSameOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && host !== undefined && URL.canParse(origin) && new URL(origin).host === host) return;
  throw new ApportionError('not_allowed', 'This request comes from another origin than the dashboard.', {
    hint: 'From a script send the admin key as "Authorization: Bearer …". Behind a proxy, let it pass the Host header on.',
  });
}
