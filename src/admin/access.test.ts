import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routesOf } from './drawn-routes.fixture.ts';
import { ADMIN_KEY, openAdmin } from './open-admin.fixture.ts';

const PUBLIC: ReadonlySet<string> = new Set([
  '/',
  '/ui',
  '/ui/*',
  '/ui/session',
  '/assets/*',
  '/favicon.svg',
  '/theme.js',
]);

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('every route × every caller: who is refused, and how', async (context) => {
  const { app, callKey, close } = await openAdmin();
  context.after(close);
  const signedIn = await app.inject({ method: 'POST', url: '/ui/session', payload: { key: ADMIN_KEY } });
  const cookie = `apportion_session=${signedIn.cookies[0]?.value}`;
  const host = 'gw.example';
  const [own, foreign] = [{ origin: 'https://gw.example' }, { origin: 'https://evil.example' }];
  await app.ready();
  const routes = routesOf(app.printRoutes()).filter(({ url }) => !PUBLIC.has(url));
  assert.ok(routes.length > 30, `${routes.length} routes`);
  assert.ok(routes.some(({ method, url }) => method === 'PUT' && url === '/v1/tags/:key'));

  for (const { method, url } of routes) {
    const changes = method !== 'GET' && method !== 'HEAD';
    const callers: readonly (readonly [string, Record<string, string>, number | null])[] = [
      ['no token', {}, 401],
      ['an unknown token', bearer('sk-ap-nobody'), 401],
      ['a call key', bearer(callKey), 403],
      ['the admin key', bearer(ADMIN_KEY), null],
      ['the admin key from elsewhere', { ...bearer(ADMIN_KEY), ...foreign }, null],
      ['a made-up cookie', { cookie: 'apportion_session=made-up', ...own }, 401],
      ['a cookie without origin', { cookie }, changes ? 403 : null],
      ['a cookie from another origin', { cookie, ...foreign }, changes ? 403 : null],
      ['a cookie from the same origin', { cookie, ...own }, null],
      ['a cookie and a call key', { cookie, ...own, ...bearer(callKey) }, 403],
    ];
    for (const [caller, headers, refusal] of callers) {
      const { statusCode } = await app.inject({
        method,
        url: url.replaceAll(/:\w+/g, 'x'),
        headers: { host, ...headers },
        ...(changes ? { payload: {} } : {}),
      });
      const seen = statusCode === 401 || statusCode === 403 ? statusCode : null;
      assert.equal(seen, refusal, `${method} ${url} with ${caller} answers ${statusCode}`);
    }
  }
});
