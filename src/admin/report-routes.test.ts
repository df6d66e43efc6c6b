import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { openAccounts, type Accounts } from '#accounts';
import { systemClock } from '#std';
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

const REPORTS = [
  '/v1/sessions',
  '/v1/sessions/run-1',
  '/v1/tags',
  '/v1/tags/team',
  '/v1/tags/hygiene',
  '/spend/logs',
  '/spend/logs/v2',
  '/spend/tags',
  '/global/spend/tags',
  '/global/spend/all_tag_names',
  '/tag/daily/activity',
];

let directory: string;
let accounts: Accounts;
let callKey: string;
let app: FastifyInstance;
/** The values every statement was bound to. */
let asked: unknown[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'apportion-reports-'));
  accounts = await openAccounts({ file: join(directory, 'control.db'), clock: systemClock, random: randomBytes });
  const keys = await accounts.bootstrap({ adminKey: ADMIN_KEY });
  assert.ok(keys.callKey !== null);
  callKey = keys.callKey;
  const store = {
    asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
    query: (_sql: string, params: object) => {
      asked.push(...Object.values(params));
      return Promise.reject(new Error('the store is not what these tests are about'));
    },
  };
  app = await createAdmin({
    oidc: null,
    accounts,
    store,
    alerts: await openAlertsOn(accounts, store),
    ...openPricing(accounts).parts,
    clock: systemClock,
    log: SILENT,
    dashboardDir: directory,
  });
});

after(async () => {
  await app.close();
  await accounts.close();
  await rm(directory, { recursive: true });
});

async function ask(url: string, key = ADMIN_KEY): Promise<{ readonly status: number; readonly code: string }> {
  asked = [];
  const answer = await app.inject({ url, headers: key === '' ? {} : { authorization: `Bearer ${key}` } });
  return { status: answer.statusCode, code: answer.json<{ error: { code: string } }>().error.code };
}

describe('reports', () => {
  for (const url of REPORTS) {
    it(`${url} is for the admin key alone`, async () => {
      assert.deepEqual(await ask(url, ''), { status: 401, code: 'missing_key' });
      assert.deepEqual(await ask(url, callKey), { status: 403, code: 'not_allowed' });
      assert.deepEqual(asked, []);
      await ask(url);
      assert.ok(asked.length > 0, 'the admin key reaches the store');
    });

    it(`${url} refuses a parameter it does not know`, async () => {
      assert.deepEqual(await ask(`${url}?strat_date=2025-01-01`), { status: 400, code: 'invalid_query' });
    });
  }

  it('a session is found by whatever id a call may send', async () => {
    for (const id of ['user/7', 'a b?c#d&e=f', '100%', '漢'.repeat(256), '😀'.repeat(128), 'hygiene']) {
      await ask(`/v1/sessions/${encodeURIComponent(id)}`);
      assert.ok(asked.includes(id), id);
    }
  });

  it('a key is asked for by its token, of which only the hash goes on', async () => {
    const { key } = await accounts.generateKey({
      alias: 'batch',
      name: null,
      team: '',
      owner: '',
      models: [],
      routes: [],
      addresses: [],
      metadata: {},
      blocked: false,
      expiry: { kind: 'never' },
      spending: {},
    });
    for (const named of [key.hash, key.id, 'batch']) {
      await ask(`/spend/logs?api_key=${named}`);
      assert.ok(asked.includes(key.id), named);
    }
    await ask(`/spend/logs?api_key=${callKey}`);
    assert.ok(!asked.includes(callKey));
  });
});
