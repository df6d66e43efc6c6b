import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Accounts } from '#accounts';
import { invariant } from '#std';
import { ApportionError } from '#terms';
import { callerOf, type Caller } from './caller.ts';
import { ROUTE_RIGHTS, type Right } from './route-rights.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on public routes. */
    caller: Caller | null;
  }
}

const READERS: readonly Right[] = ['self', 'reports'];
const ALL_MONEY: readonly Right[] = [
  ...READERS,
  'self.write',
  'teams',
  'tags.read',
  'prices.read',
  'ledger.read',
  'budgets.read',
  'subjects.read',
  'alerts.read',
  'audit',
];
const EVERY_RIGHT: readonly Right[] = [
  ...ALL_MONEY,
  'tags.write',
  'keys.write',
  'budgets.write',
  'alerts.write',
  'money.write',
  'people',
];

/** What each role may do. Whose money it sees of it is its reach. */
const RIGHTS: Readonly<Record<Caller['role'], readonly Right[]>> = {
  owner: EVERY_RIGHT,
  admin: EVERY_RIGHT,
  finance: ALL_MONEY,
  team_lead: [...READERS, 'self.write', 'teams', 'budgets.read', 'budgets.write'],
  viewer: [...READERS, 'self.write', 'budgets.read'],
  read_token: READERS,
};

/** Checks every request before its body is read. A route that the table does not have is a bug found at start. */
export function guardRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', ({ url, method }) => {
    for (const one of [method].flat()) {
      invariant(rightOf(one, url) !== undefined, `src/admin/route-rights.ts says what ${one} ${url} needs`);
    }
  });
  app.addHook('onRequest', async (request) => {
    const { url, method } = request.routeOptions;
    // No route: the answer is that there is none, to whoever asks.
    if (url === undefined) return;
    const right = rightOf([method].flat()[0] ?? '', url);
    invariant(right !== undefined, 'a registered route is in the table');
    if (right === 'public') return;
    const caller = await callerOf(request, deps.accounts);
    if (!RIGHTS[caller.role].includes(right)) throw notAllowed(caller);
    // SameSite=Strict keeps other sites' requests without the cookie; this holds where a browser or a neighbour under the
    // same site does not.
    if (caller.by === 'cookie' && !isSafe(request.method)) requireSameOrigin(request);
    request.caller = caller;
  });
}

/** Who asks, behind a route that is not public. */
export function knownCaller({ caller }: FastifyRequest): Caller {
  invariant(caller !== null, 'who asks is known before a request is answered');
  return caller;
}

/** What the dashboard shows somebody. */
export function rightsOf(role: Caller['role']): readonly Right[] {
  return RIGHTS[role];
}

/** Fastify answers HEAD by the route of GET. */
function rightOf(method: string, url: string): Right | undefined {
  const name = `${method === 'HEAD' ? 'GET' : method} ${url}`;
  return Object.hasOwn(ROUTE_RIGHTS, name) ? ROUTE_RIGHTS[name] : undefined;
}

function notAllowed({ role }: Caller): ApportionError {
  const who =
    role === 'read_token' ? 'A read token reads analytics and does nothing else.' : `Role ${role} may not do this.`;
  return new ApportionError('not_allowed', who, { hint: 'docs/people-and-roles.md lists what each role may do.' });
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
