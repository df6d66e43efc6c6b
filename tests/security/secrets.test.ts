import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startGateway, startOidcProvider, startUpstream, until, type Gateway } from '#world';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const WAIT_MS = 60_000;

type Told = { status: number; text: string };

/** Every kind of secret that a server holds or is shown, by what it is. */
const CONFIGURED = {
  'the admin key': 'sk-ap-admin-secret-of-this-test-0001',
  'the key of a provider': 'sk-provider-secret-of-this-test-0002',
  'a header of a provider': 'header-secret-of-this-test-0003',
  'the secret of the sign-in provider': 'oidc-secret-of-this-test-0004',
} as const;

const CHOSEN = {
  'a password': 'password-of-this-test-0005-and-more',
  'a wrong password': 'wrong-password-of-this-test-0006',
  'a prompt': 'prompt-of-this-test-0007',
} as const;

async function ask(gateway: Gateway, path: string, init: RequestInit & { readonly key?: string } = {}): Promise<Told> {
  const { key = CONFIGURED['the admin key'], ...rest } = init;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(gateway.url + path, { ...rest, headers });
  return { status: answer.status, text: await answer.text() };
}

async function make(gateway: Gateway, path: string, body: object): Promise<Map<string, unknown>> {
  const { status, text } = await ask(gateway, path, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(status, 200, `${path}: ${text}`);
  return new Map(Object.entries(JSON.parse(text)));
}

/** Where a secret may never be: every file of the data directory, byte for byte, and every backup of it. */
async function filesOf(folder: string): Promise<readonly (readonly [string, Buffer])[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(files.map(async (file) => [file, await readFile(file)] as const));
}

/** Uses each secret in every way it is meant for, and in some it is not. @returns those that the server made */
async function useAll(gateway: Gateway): Promise<Readonly<Record<string, string>>> {
  const made = await make(gateway, '/key/generate', { key_alias: 'of-this-test' });
  const before = String(made.get('key'));
  const rotated = await make(gateway, '/key/regenerate', { key: before, grace_period: '1h' });
  const key = String(rotated.get('key'));
  const token = String((await make(gateway, '/v1/tokens', { name: 't', everything: true })).get('token'));
  const invited = await make(gateway, '/v1/members', { email: 'ada@example.com', role: 'viewer' });
  const link = String(new Map(Object.entries(invited.get('link') ?? {})).get('token'));
  const password = CHOSEN['a password'];
  const taken = await fetch(`${gateway.url}/ui/invitation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: link, password }),
  });
  const session = /apportion_session=([^;]+)/.exec(taken.headers.get('set-cookie') ?? '')?.[1] ?? '';
  assert.equal(taken.status, 200);
  const body = JSON.stringify({
    model: 'gpt-4o-mini',
    max_completion_tokens: 5,
    messages: [{ role: 'user', content: CHOSEN['a prompt'] }],
  });
  assert.equal((await ask(gateway, '/v1/chat/completions', { method: 'POST', body, key })).status, 200);
  assert.equal((await ask(gateway, '/v1/chat/completions', { method: 'POST', body, key: before })).status, 200);
  // Wrong uses: in an address, cut short, where nothing is, at what fails.
  await ask(gateway, `/v1/chat/completions?key=${key}`, { method: 'POST', body: '{' });
  await ask(gateway, `/v1/models/${key}`, { key: `${key}x` });
  await ask(gateway, `/nothing/${token}?key=${key}`, { key: token });
  await ask(gateway, `/v1/analytics/costs?group_by=${token}`);
  await fetch(`${gateway.url}/ui/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: CHOSEN['a wrong password'] }),
  });
  await ask(gateway, '/v1/me', { key: session });
  return { 'a key': key, 'a key in grace': before, 'a read token': token, 'an invitation': link, 'a session': session };
}

test('no secret is in a log, a metric, an answer, a file of the data directory or a backup', async (t) => {
  const upstream = await startUpstream();
  const login = await startOidcProvider();
  t.after(() => upstream.close());
  t.after(() => login.close());
  const gateway = await startGateway({
    env: {
      APPORTION_LOG_LEVEL: 'trace',
      APPORTION_ADMIN_KEY: CONFIGURED['the admin key'],
      HOUSE_KEY: upstream.apiKey,
      OTHER_KEY: CONFIGURED['the key of a provider'],
      LOGIN_SECRET: CONFIGURED['the secret of the sign-in provider'],
    },
    config: (url) => ({
      providers: {
        openai: { base_url: upstream.baseUrl, api_key_env: 'HOUSE_KEY' },
        // Nobody listens there: what fails is told in the log.
        groq: {
          base_url: 'http://127.0.0.1:9/v1',
          api_key_env: 'OTHER_KEY',
          headers: { 'x-house': CONFIGURED['a header of a provider'] },
        },
      },
      oidc: {
        issuer: login.issuer,
        client_id: login.clientId,
        client_secret_env: 'LOGIN_SECRET',
        public_url: url,
        allowed_domains: ['example.com'],
      },
    }),
  });
  t.after(() => gateway.close());
  const secrets = Object.entries({
    ...CONFIGURED,
    ...CHOSEN,
    ...(await useAll(gateway)),
    'a key of the house': upstream.apiKey,
  });
  const failing = { model: 'groq/llama-3.1-8b-instant', messages: [{ role: 'user', content: CHOSEN['a prompt'] }] };
  await ask(gateway, '/v1/chat/completions', { method: 'POST', body: JSON.stringify(failing) });
  await until('both calls to be in the store', WAIT_MS, async () => {
    const { text } = await ask(gateway, '/v1/events');
    return JSON.parse(text).data.length >= 2 ? true : undefined;
  });
  const backup = join(gateway.dataDir, '..', 'backup.tar');
  const env = { ...process.env, APPORTION_DATA_DIR: gateway.dataDir, APPORTION_ADMIN_KEY: CONFIGURED['the admin key'] };
  await run(process.execPath, ['src/cli/main.ts', 'backup', backup], { cwd: ROOT, env });
  const answers = [
    '/metrics',
    '/key/list?return_full_object=true',
    '/team/list',
    '/v1/tokens',
    '/v1/members',
    '/v1/audit?limit=1000',
    '/v1/events',
    '/v1/analytics/costs?group_by=key',
    '/v1/me',
    '/spend/logs',
  ];
  const places: (readonly [string, Buffer])[] = [['the log', Buffer.from(gateway.output())]];
  for (const path of answers) places.push([path, Buffer.from((await ask(gateway, path)).text)]);
  places.push(...(await filesOf(gateway.dataDir)), ['the backup', readFileSync(backup)]);
  assert.ok(places.length > 20, `${places.length} places`);
  const holding = places.filter(([, content]) => content.includes('of-this-test')).map(([place]) => place);
  assert.ok(
    holding.includes('the backup') && holding.includes('/v1/audit?limit=1000'),
    'what is no secret is found there',
  );
  for (const [place, content] of places) {
    for (const [what, secret] of secrets) {
      assert.ok(secret.length >= 12, `${what} is long enough to be found`);
      assert.ok(!content.includes(secret), `${what} is in ${place}`);
    }
  }
});
