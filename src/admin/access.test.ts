import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMemberNew, parseReadToken } from '#accounts';
import type { StoreReader } from '#analytics';
import { ROLES, type Role } from '#terms';
import { routesOf, type Route } from './drawn-routes.fixture.ts';
import { ADMIN_KEY, openAdmin, type OpenAdmin } from './open-admin.fixture.ts';

const PUBLIC: ReadonlySet<string> = new Set([
  '/',
  '/ui',
  '/ui/*',
  '/ui/session',
  '/ui/invitation',
  '/ui/oidc',
  '/ui/oidc/callback',
  '/assets/*',
  '/favicon.svg',
  '/theme.js',
]);

/** What everybody may ask, each within their reach. */
const REPORTS = [
  'GET /v1/analytics/costs',
  'GET /v1/analytics/costs/timeseries',
  'GET /v1/analytics/dimensions',
  'GET /v1/events',
  'GET /v1/events/:id',
  'GET /v1/entities',
  'GET /v1/sessions',
  'GET /v1/sessions/:id',
  'GET /v1/tags',
  'GET /v1/tags/hygiene',
  'GET /v1/tags/:key',
  'GET /spend/logs',
  'GET /spend/logs/v2',
  'GET /spend/tags',
  'GET /global/spend/tags',
  'GET /global/spend/all_tag_names',
  'GET /tag/daily/activity',
  'GET /tag/list',
];

const TOKEN = ['GET /v1/me', ...REPORTS];
const BUDGETS = [
  'GET /v1/budgets',
  'GET /v1/budgets/:id',
  'GET /v1/limits',
  'GET /v1/limits/:id',
  'GET /v1/rules/export',
];
const VIEWER = [...TOKEN, ...BUDGETS, 'DELETE /v1/me/sessions'];
const KEYS = ['GET /key/info', 'GET /key/list', 'GET /team/info', 'GET /team/list'];
const TEAM_LEAD = [
  ...VIEWER,
  ...KEYS,
  'POST /v1/budgets',
  'PATCH /v1/budgets/:id',
  'DELETE /v1/budgets/:id',
  'POST /v1/budgets/:id/raise',
  'DELETE /v1/budgets/:id/raise',
  'POST /v1/limits',
  'PATCH /v1/limits/:id',
  'DELETE /v1/limits/:id',
  'POST /v1/rules/import',
];
const FINANCE = [
  ...VIEWER,
  ...KEYS,
  'GET /customer/info',
  'GET /customer/list',
  'GET /end_user/info',
  'GET /end_user/list',
  'GET /user/info',
  'GET /user/list',
  'POST /budget/info',
  'GET /budget/list',
  'GET /budget/settings',
  'POST /tag/info',
  'GET /v1/prices',
  'POST /v1/prices/quote',
  'POST /spend/calculate',
  'GET /v1/prices/terms',
  'GET /v1/prices/terms/:id',
  'GET /v1/contracts',
  'GET /v1/contracts/:id',
  'GET /v1/markups',
  'GET /v1/markups/:id',
  'GET /v1/adjustments',
  'GET /v1/in-doubt',
  'GET /v1/ledger/batches',
  'GET /v1/ledger/roots',
  'GET /v1/routes',
  'GET /v1/erasures',
  'GET /v1/audit',
  'GET /v1/alerts/rules',
  'GET /v1/alerts/rules/:id',
  'GET /v1/alerts/channels',
  'GET /v1/alerts/channels/:id',
  'GET /v1/alerts/events',
  'GET /v1/alerts/deliveries',
];

/** Null: every route. */
const ALLOWED: Readonly<Record<Role | 'read_token', readonly string[] | null>> = {
  owner: null,
  admin: null,
  finance: FINANCE,
  team_lead: TEAM_LEAD,
  viewer: VIEWER,
  read_token: TOKEN,
};

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const host = 'gw.example';
const [own, foreign] = [{ origin: 'https://gw.example' }, { origin: 'https://evil.example' }];

async function guarded({ app }: OpenAdmin): Promise<Route[]> {
  await app.ready();
  const routes = routesOf(app.printRoutes()).filter(({ url }) => !PUBLIC.has(url));
  assert.ok(routes.length > 60, `${routes.length} routes`);
  assert.ok(routes.some(({ method, url }) => method === 'PUT' && url === '/v1/tags/:key'));
  return routes;
}

const changes = ({ method }: Route): boolean => method !== 'GET' && method !== 'HEAD';

/** 401 or 403, else null: what a route does with an empty request is not the question. */
async function refusalOf(admin: OpenAdmin, route: Route, headers: Record<string, string>): Promise<number | null> {
  const { statusCode } = await admin.app.inject({
    method: route.method,
    url: route.url.replaceAll(/:\w+/g, 'x'),
    headers: { host, ...headers },
    ...(changes(route) ? { payload: {} } : {}),
  });
  return statusCode === 401 || statusCode === 403 ? statusCode : null;
}

test('every route × every way to show who one is: who is refused, and how', async (context) => {
  const admin = await openAdmin();
  context.after(admin.close);
  const { accounts, callKey } = admin;
  for (const route of await guarded(admin)) {
    const onlyReads = changes(route) ? 403 : null;
    const callers: readonly (readonly [string, Record<string, string>, number | null])[] = [
      ['no token', {}, 401],
      ['an unknown token', bearer('sk-ap-nobody'), 401],
      ['a made-up read token', bearer('sk-ap-read-nobody'), 401],
      ['a call key', bearer(callKey), 403],
      ['the admin key', bearer(ADMIN_KEY), null],
      ['the admin key from elsewhere', { ...bearer(ADMIN_KEY), ...foreign }, null],
      ['a made-up cookie', { cookie: 'apportion_session=made-up', ...own }, 401],
    ];
    for (const [caller, headers, refusal] of callers) {
      assert.equal(await refusalOf(admin, route, headers), refusal, `${route.method} ${route.url} with ${caller}`);
    }
    // Only now: one of the routes ended all sessions.
    const cookie = `apportion_session=${(await accounts.createUiSession()).token}`;
    const withCookie: typeof callers = [
      ['a cookie without origin', { cookie }, onlyReads],
      ['a cookie from another origin', { cookie, ...foreign }, onlyReads],
      ['a cookie and a call key', { cookie, ...own, ...bearer(callKey) }, 403],
      ['a cookie from the same origin', { cookie, ...own }, null],
    ];
    for (const [caller, headers, refusal] of withCookie) {
      assert.equal(await refusalOf(admin, route, headers), refusal, `${route.method} ${route.url} with ${caller}`);
    }
  }
});

test('every route × every role and a read token: what each may do', async (context) => {
  const admin = await openAdmin();
  context.after(admin.close);
  const { accounts } = admin;
  const routes = await guarded(admin);
  const members = await Promise.all(
    ROLES.map((role) =>
      accounts.members.create(parseMemberNew({ email: `${role}@example.com`, role, teams: ['growth'] }), 'test'),
    ),
  );
  const { secret } = await accounts.readTokens.create(parseReadToken({ name: 't', teams: ['growth'] }), 'test');
  const nameOf = ({ method, url }: Route): string => `${method === 'HEAD' ? 'GET' : method} ${url}`;
  for (const route of routes) {
    for (const member of members) {
      const cookie = `apportion_session=${(await accounts.createUiSession(member)).token}`;
      const expected = ALLOWED[member.role]?.includes(nameOf(route)) ?? true;
      const refusal = await refusalOf(admin, route, { cookie, ...own });
      assert.equal(refusal, expected ? null : 403, `${route.method} ${route.url} as ${member.role}`);
    }
    const refusal = await refusalOf(admin, route, bearer(secret));
    const expected = ALLOWED.read_token?.includes(nameOf(route)) ?? true;
    assert.equal(refusal, expected ? null : 403, `${route.method} ${route.url} with a read token`);
  }
});

test('whatever a report asks of the store for a team lead, a viewer or a token, only their part is there', async (context) => {
  const asked: string[] = [];
  const store: StoreReader = {
    asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
    cells: (about, per) => {
      asked.push(about);
      return { table: 'cells_1', per, count: 1, cells: 'run IN (1)', rest: 'seq > 1', stands: () => true };
    },
    query: async (sql) => {
      asked.push(sql);
      return [];
    },
  };
  const admin = await openAdmin(store);
  context.after(admin.close);
  const { accounts } = admin;
  const headers = await Promise.all(
    (['team_lead', 'viewer'] as const).map(async (role) => {
      const asks = parseMemberNew({ email: `${role}@example.com`, role, teams: ['growth'] });
      const member = await accounts.members.create(asks, 'test');
      return { cookie: `apportion_session=${(await accounts.createUiSession(member)).token}` };
    }),
  );
  const { secret } = await accounts.readTokens.create(parseReadToken({ name: 't', teams: ['growth'] }), 'test');
  const only = `key_team = unhex('${Buffer.from('growth').toString('hex')}')`;
  const filter = `(${only.replaceAll("'", "\\'")})`;
  const isNarrow = (sql: string): boolean =>
    ['entries', ...(sql.includes('FROM cells_1') ? ['cells_1'] : [])].every((table) =>
      sql.includes(`'${table}': '${filter}'`),
    );
  const readCells = new Set<string>();
  for (const name of REPORTS) {
    const url = name.slice('GET '.length).replaceAll(/:\w+/g, 'x');
    for (const who of [...headers, bearer(secret)]) {
      asked.length = 0;
      await admin.app.inject({ url, headers: who });
      assert.ok(asked.length > 0, `${url} asks the store`);
      for (const sql of asked) assert.ok(sql.includes(only) || isNarrow(sql), `${url} asks for everything: ${sql}`);
      if (asked.some((sql) => sql.includes('FROM cells_1'))) readCells.add(url);
    }
    asked.length = 0;
    await admin.app.inject({ url, headers: bearer(ADMIN_KEY) });
    assert.ok(asked.length > 0 && asked.every((sql) => !sql.includes('additional_table_filters')), url);
  }
  assert.ok(readCells.has('/v1/analytics/costs'), 'cells are among what is narrowed');
});
