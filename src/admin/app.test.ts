import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { openAccounts, type Accounts } from '#accounts';
import type { StoreReader } from '#analytics';
import { systemClock } from '#std';
import { guardRoutes } from './access.ts';
import { openAlertsOn } from './alerts.fixture.ts';
import { createAdmin } from './app.ts';
import { openPricing } from './pricing.fixture.ts';

const ADMIN_KEY = 'sk-ap-admin-test-0123456789';
const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  fatal: () => undefined,
  child: () => SILENT,
};

/** The store of the tests about who may ask; it has nothing, and tells when a query was stopped. */
class HangingStore implements StoreReader {
  readonly started = Promise.withResolvers<void>();
  readonly stopped = Promise.withResolvers<void>();

  asOf() {
    return { nodeId: 'node', seq: 0, at: null };
  }

  query<T>(_sql: string, _params: unknown, options?: { readonly signal?: AbortSignal }): Promise<T[]> {
    this.started.resolve();
    return new Promise((_resolve, reject) => {
      options?.signal?.addEventListener('abort', () => {
        this.stopped.resolve();
        reject(new Error('the query was killed'));
      });
    });
  }
}

let directory: string;
let accounts: Accounts;
let callKey: string;
let store: HangingStore;
let app: FastifyInstance;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apportion-admin-'));
  const dashboardDir = join(directory, 'dist');
  await mkdir(join(dashboardDir, 'assets'), { recursive: true });
  await writeFile(join(dashboardDir, 'index.html'), '<!doctype html><title>Apportion</title>');
  await writeFile(join(dashboardDir, 'assets', 'index-abc123.js'), 'export {};');
  accounts = await openAccounts({ file: join(directory, 'control.db'), clock: systemClock, random: randomBytes });
  const keys = await accounts.bootstrap({ adminKey: ADMIN_KEY });
  assert.ok(keys.callKey !== null);
  callKey = keys.callKey;
  store = new HangingStore();
  app = await createAdmin({
    oidc: null,
    accounts,
    store,
    alerts: await openAlertsOn(accounts, store),
    ...openPricing(accounts).parts,
    clock: systemClock,
    log: SILENT,
    dashboardDir,
  });
});

after(async () => {
  await app.close();
  await accounts.close();
  await rm(directory, { recursive: true });
});

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function signIn(): Promise<string> {
  const answer = await app.inject({ method: 'POST', url: '/ui/session', payload: { key: ADMIN_KEY } });
  assert.equal(answer.statusCode, 200);
  return `apportion_session=${answer.cookies[0]?.value}`;
}

describe('who may use a route', () => {
  it('is in the table of rights, or the app does not start', async () => {
    const { fastify } = await import('fastify');
    const undeclared = fastify();
    guardRoutes(undeclared, { accounts });
    assert.throws(() => undeclared.get('/v1/secret', () => 'x'), /says what GET \/v1\/secret needs/);
  });

  it('/v1/me answers with the admin key and with a session', async () => {
    const cookie = await signIn();
    for (const headers of [bearer(ADMIN_KEY), { cookie }, { 'x-api-key': ADMIN_KEY }]) {
      const answer = await app.inject({ url: '/v1/me', headers });
      assert.equal(answer.statusCode, 200);
      assert.equal(answer.json<{ plan: string }>().plan, 'self-hosted');
    }
  });
});

describe('sign-in', () => {
  it('exchanges the admin key for a cookie no script can read, and ends', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/ui/session',
      payload: { key: ADMIN_KEY },
      headers: { 'x-forwarded-proto': 'https' },
    });
    const [cookie] = answer.cookies;
    assert.equal(cookie?.httpOnly, true);
    assert.equal(cookie?.sameSite, 'Strict');
    assert.equal(cookie?.secure, true);
    const headers = { cookie: `apportion_session=${cookie?.value}`, host: 'gw', origin: 'http://gw' };
    const state = async () => (await app.inject({ url: '/ui/session', headers })).json<{ authenticated: boolean }>();
    assert.equal((await state()).authenticated, true);
    assert.equal((await app.inject({ method: 'DELETE', url: '/ui/session', headers })).statusCode, 200);
    assert.equal((await state()).authenticated, false);
    assert.equal((await app.inject({ url: '/v1/me', headers })).statusCode, 401);
  });

  it('refuses a wrong key, a call key and a sign-in from elsewhere', async () => {
    const post = async (key: string, headers: Record<string, string> = {}) =>
      (await app.inject({ method: 'POST', url: '/ui/session', payload: { key }, headers })).statusCode;
    assert.equal(await post('wrong'), 401);
    assert.equal(await post(callKey), 403);
    assert.equal(await post(''), 400);
    assert.equal(await post(ADMIN_KEY, { origin: 'https://evil.example' }), 403);
  });
});

describe('keys', () => {
  const post = (url: string, payload: object) =>
    app.inject({ method: 'POST', url, payload, headers: bearer(ADMIN_KEY) });
  const info = (key: string) => app.inject({ url: '/key/info', query: { key }, headers: bearer(ADMIN_KEY) });

  it('are made as LiteLLM makes them, known at once, listed, blocked and deleted', async () => {
    const made = (
      await post('/key/generate', { key_alias: 'backend', metadata: { tags: ['AWS_IAM_PROD', 'team-backend'] } })
    ).json<{
      key: string;
      token: string;
      expires: string | null;
      metadata: unknown;
    }>();
    assert.match(made.key, /^sk-ap-/);
    assert.equal(made.expires, null);
    assert.deepEqual(made.metadata, { tags: ['AWS_IAM_PROD', 'team-backend'] });
    assert.equal(accounts.ring.identify(made.key)?.kind, 'key');
    assert.equal((await info('backend')).json<{ key: string }>().key, made.token);
    const list = await app.inject({ url: '/key/list', headers: bearer(ADMIN_KEY) });
    assert.ok(list.json<{ keys: string[] }>().keys.includes(made.token));
    assert.equal((await post('/key/block', { key: made.key })).json<{ blocked: boolean }>().blocked, true);
    assert.equal((await post('/key/unblock', { key: made.key })).json<{ blocked: boolean }>().blocked, false);
    assert.deepEqual((await post('/key/delete', { keys: [made.key] })).json(), { deleted_keys: [made.key] });
    assert.equal(accounts.ring.identify(made.key), undefined);
  });

  it('that are unknown are not found, and none of a list is deleted then', async () => {
    const made = (await post('/key/generate', {})).json<{ key: string }>();
    assert.equal((await post('/key/delete', { keys: [made.key, 'key_nobody'] })).statusCode, 404);
    assert.equal(accounts.ring.identify(made.key)?.kind, 'key');
    assert.equal((await info('nobody')).statusCode, 404);
  });
});

describe('errors', () => {
  const errorOf = ({ body }: { readonly body: string }): Record<string, unknown> => JSON.parse(body).error;

  it('are OpenAI envelopes for whatever goes wrong', async () => {
    const headers = bearer(ADMIN_KEY);
    const query = await app.inject({ url: '/v1/analytics/costs', query: { start_date: 'x' }, headers });
    assert.equal(query.statusCode, 400);
    assert.equal(errorOf(query).param, 'start_date');
    assert.equal(query.headers['x-apportion-error'], 'invalid_query');
    const json = { ...headers, 'content-type': 'application/json' };
    const broken = await app.inject({ method: 'POST', url: '/key/generate', payload: '{', headers: json });
    assert.deepEqual([broken.statusCode, errorOf(broken).code], [400, 'body_not_json']);
    const large = await app.inject({
      method: 'POST',
      url: '/key/generate',
      payload: `"${'x'.repeat(300_000)}"`,
      headers: json,
    });
    assert.deepEqual([large.statusCode, errorOf(large).code], [413, 'body_too_large']);
    const nowhere = await app.inject({ url: '/v1/nowhere', headers });
    assert.deepEqual([nowhere.statusCode, errorOf(nowhere).code], [404, 'not_found']);
  });
});

describe('the dashboard', () => {
  it('is one page for every address of it, never cached, and loads nothing from elsewhere', async () => {
    for (const url of ['/', '/ui', '/ui/overview', '/ui/requests?tags=env%3Aprod']) {
      const answer = await app.inject({ url });
      assert.equal(answer.statusCode, 200, url);
      assert.match(answer.body, /<title>Apportion/);
      assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/);
      assert.match(String(answer.headers['cache-control']), /max-age=0/);
    }
  });

  it('has its assets cached for ever, and a missing one is not the page', async () => {
    const answer = await app.inject({ url: '/assets/index-abc123.js' });
    assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal((await app.inject({ url: '/assets/gone.js' })).statusCode, 404);
    for (const url of [
      '/assets/../../control.db',
      '/assets/..%2f..%2fcontrol.db',
      '/assets/%2e%2e/%2e%2e/control.db',
    ]) {
      const { statusCode, body } = await app.inject({ url });
      assert.ok(statusCode >= 400 && statusCode < 500, `${url}: ${statusCode}`);
      assert.ok(!body.includes('SQLite'));
    }
  });
});

it('over its unix socket, a report is stopped when who asked goes away', { timeout: 10_000 }, async () => {
  const path = join(directory, 'admin.sock');
  await app.listen({ path });
  const asked = httpRequest({
    socketPath: path,
    path: '/v1/analytics/costs?start_date=2025-01-01',
    headers: bearer(ADMIN_KEY),
  });
  asked.on('error', () => undefined).end();
  await store.started.promise;
  asked.destroy();
  await store.stopped.promise;
});
