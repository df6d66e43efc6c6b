import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseKeyGenerate, parseMemberNew } from '#accounts';
import { systemClock } from '#std';
import type { Role } from '#terms';
import { openAdminWithBook, type AdminWithBook } from './budget-book.fixture.ts';

let admin: AdminWithBook;

before(async () => {
  admin = await openAdminWithBook();
});
after(() => admin.close());

type Json = { readonly [name: string]: unknown };

async function answer(url: string, body?: Json, method?: 'POST' | 'PATCH' | 'DELETE'): Promise<Json> {
  const { status, body: given } = await admin.ask(url, body, method);
  assert.equal(status, 200, JSON.stringify(given));
  return Object.fromEntries(Object.entries(typeof given === 'object' && given !== null ? given : {}));
}

async function standingOf(id: unknown): Promise<Json> {
  const { standing } = await answer(`/v1/budgets/${String(id)}`);
  return { ...(typeof standing === 'object' ? standing : {}) };
}

test('a budget answers as it was sent, with what was left out filled in', async () => {
  const sent = {
    id: 'growth-month',
    name: 'Growth',
    scope: { 'key.team': 'growth', 'tags.customer': { each: true }, label: ['beta', 'US/California'] },
    limit_usd: '100.50',
    window: { kind: 'month', count: 1, starts_on: 15, timezone: 'Asia/Kathmandu' },
    mode: 'strict',
    action: { downgrade_to: 'gpt-4o-mini' },
    thresholds: [100, 50],
    effective_from: '2026-01-01T00:00:00.000Z',
    effective_to: '2036-01-01T00:00:00.000Z',
  };
  const made = await answer('/v1/budgets', sent);
  const expected = {
    ...sent,
    counts: 'declared',
    limit_usd: '100.5',
    thresholds: [50, 100],
    raise: null,
    origin: null,
  };
  assert.partialDeepStrictEqual(made, { ...expected, created_by: 'admin_key', deleted_at: null });
  assert.partialDeepStrictEqual(await answer('/v1/budgets/growth-month'), expected);
  const plain = await answer('/v1/budgets', { limit_usd: 5, window: '30d' });
  assert.partialDeepStrictEqual(plain, {
    name: 'All calls',
    scope: {},
    limit_usd: '5',
    window: { kind: 'month', count: 1, starts_on: 1, timezone: 'UTC' },
    mode: 'standard',
    action: 'block',
    thresholds: [50, 80, 100],
  });
  for (const id of ['growth-month', plain['id']]) await answer(`/v1/budgets/${String(id)}`, {}, 'DELETE');
  assert.deepEqual((await answer('/v1/budgets'))['data'], []);
});

const GOOD = { limit_usd: '1', window: 'day' };

for (const [body, param] of [
  [{ window: 'day' }, 'limit_usd'],
  [{ ...GOOD, limit_usd: '-1' }, 'limit_usd'],
  [{ ...GOOD, limit_usd: '1.0000000000001' }, 'limit_usd'],
  [{ limit_usd: '1' }, 'window'],
  [{ ...GOOD, window: 'fortnight' }, 'window'],
  [{ ...GOOD, window: { kind: 'week', starts_on: 8 } }, 'window.starts_on'],
  [{ ...GOOD, window: { kind: 'day', timezone: 'Europe/Nowhere' } }, 'window.timezone'],
  [{ ...GOOD, window: { kind: 'rolling', length: '0s' } }, 'window.length'],
  [{ ...GOOD, scope: { team: 'growth' } }, 'scope.team'],
  [{ ...GOOD, scope: { 'tags.': 'x' } }, 'scope.tags.'],
  [{ ...GOOD, scope: { 'tags.customer': ['a', 'b'] } }, 'scope.tags.customer'],
  [{ ...GOOD, scope: { label: 'team:growth' } }, 'scope.label'],
  [{ ...GOOD, scope: [] }, 'scope'],
  [{ ...GOOD, scope: { label: 'beta' }, counts: 'locked' }, 'counts'],
  [{ ...GOOD, mode: 'strict', action: 'warn' }, 'action'],
  [{ ...GOOD, mode: 'firm' }, 'mode'],
  [{ ...GOOD, thresholds: [0] }, 'thresholds'],
  [{ ...GOOD, effective_from: '2026-02-01T00:00:00Z', effective_to: '2026-01-01T00:00:00Z' }, 'effective_to'],
  [{ ...GOOD, limit: '1' }, 'limit'],
  [{ ...GOOD, id: 'two words' }, 'id'],
] as const) {
  test(`a budget ${JSON.stringify(body)} is refused at ${param}`, async () => {
    const { status, body: given } = await admin.ask('/v1/budgets', body);
    assert.equal(status, 400, JSON.stringify(given));
    assert.partialDeepStrictEqual(given, { error: { param } });
  });
}

test('a key in a scope is named as people know it and counted by its id', async () => {
  const { key } = await admin.accounts.generateKey(parseKeyGenerate({ key_alias: 'ci' }));
  const { id, scope } = await answer('/v1/budgets', { ...GOOD, scope: { 'key.id': 'ci' } });
  assert.deepEqual(scope, { 'key.id': key.id });
  assert.equal(admin.spend({ usd: '1', key: key.id }), 'admitted');
  assert.equal(admin.spend({ usd: '0.1', key: key.id }), 'refused');
  assert.equal((await admin.ask('/v1/budgets', { ...GOOD, scope: { 'key.id': 'nobody' } })).status, 404);
  await answer(`/v1/budgets/${String(id)}`, {}, 'DELETE');
});

test('D15: without a budget nothing is refused, and a deleted one refuses nothing more', async () => {
  assert.equal(admin.spend({ usd: '1000000', tags: { customer: 'd15' } }), 'admitted');
  const { id } = await answer('/v1/budgets', { ...GOOD, limit_usd: '0', scope: { 'tags.customer': 'd15' } });
  assert.equal(admin.spend({ usd: '0.01', tags: { customer: 'd15' } }), 'refused');
  assert.equal(admin.spend({ usd: '0.01', tags: { customer: 'other' } }), 'admitted');
  await answer(`/v1/budgets/${String(id)}`, {}, 'DELETE');
  assert.equal(admin.spend({ usd: '1000000', tags: { customer: 'd15' } }), 'admitted');
});

test('D16: editing limit, mode, name and action keeps what was spent', async () => {
  const { id } = await answer('/v1/budgets', { ...GOOD, limit_usd: '10', scope: { 'tags.customer': 'd16' } });
  assert.equal(admin.spend({ usd: '7.25', tags: { customer: 'd16' } }), 'admitted');
  for (const change of [{ limit_usd: '8' }, { mode: 'strict' }, { name: 'Sixteen' }, { thresholds: [] }]) {
    const edited = await answer(`/v1/budgets/${String(id)}`, change, 'PATCH');
    assert.partialDeepStrictEqual(edited, change);
    assert.equal((await standingOf(id))['spent_exact'], '7.25');
  }
  assert.equal(admin.spend({ usd: '1', tags: { customer: 'd16' } }), 'refused');
  // A second budget of the same scope and window counts the same money: removing one takes nothing from the other.
  const second = await answer('/v1/budgets', { ...GOOD, limit_usd: '100', scope: { 'tags.customer': 'd16' } });
  await answer(`/v1/budgets/${String(id)}`, {}, 'DELETE');
  assert.equal((await standingOf(second['id']))['spent_exact'], '7.25');
});

test('D11: what was spent stays counted after a budget with a window was made, until the window ends', async () => {
  const { id } = await answer('/v1/budgets', { limit_usd: '10', window: '30d', scope: { 'tags.customer': 'd11' } });
  admin.spend({ usd: '4', tags: { customer: 'd11' } });
  admin.book.expire(systemClock.now());
  assert.partialDeepStrictEqual(await standingOf(id), { spent_exact: '4', remaining_exact: '6', used_percent: 40 });
});

test('a raise holds until it ends or is ended, says why in the audit log, and is not lost by an edit', async () => {
  const { id } = await answer('/v1/budgets', { ...GOOD, scope: { 'tags.customer': 'raised' } });
  const url = `/v1/budgets/${String(id)}`;
  assert.equal(admin.spend({ usd: '1.5', tags: { customer: 'raised' } }), 'refused');
  const raised = await answer(`${url}/raise`, { by_usd: '1', duration: '1h', reason: 'launch day' });
  assert.partialDeepStrictEqual(raised, { limit_usd: '1', raise: { by_usd: '1' } });
  assert.equal(admin.spend({ usd: '1.5', tags: { customer: 'raised' } }), 'admitted');
  await answer(url, { name: 'Raised' }, 'PATCH');
  assert.partialDeepStrictEqual(await standingOf(id), { limit_exact: '2', spent_exact: '1.5' });
  assert.partialDeepStrictEqual(await answer(`${url}/raise`, {}, 'DELETE'), { raise: null });
  assert.partialDeepStrictEqual(await standingOf(id), { limit_exact: '1', exceeded: true, used_percent: 150 });
  for (const [body, param] of [
    [{ by_usd: '1' }, 'until'],
    [{ by_usd: '1', until: '2020-01-01T00:00:00Z' }, 'until'],
    [{ by_usd: '-1', duration: '1h' }, 'by_usd'],
    [{ duration: '1h' }, 'by_usd'],
  ] as const) {
    assert.partialDeepStrictEqual(await admin.ask(`${url}/raise`, body), { status: 400, body: { error: { param } } });
  }
  const { records } = await admin.accounts.audit.list({ limit: 10, cursor: null });
  const deeds = records.filter(({ target }) => target === id).map(({ action }) => action);
  assert.deepEqual(deeds, ['budget.end_raise', 'budget.update', 'budget.raise', 'budget.create']);
  assert.equal(records.find(({ action }) => action === 'budget.raise')?.detail['reason'], 'launch day');
});

test('each customer stands by itself, the most used first; unknown ones fall under the default', async () => {
  const each = await answer('/v1/budgets', {
    limit_usd: '2',
    window: 'total',
    scope: { 'tags.tenant': { unlisted: true } },
  });
  await answer('/v1/budgets', { limit_usd: '50', window: 'total', scope: { 'tags.tenant': 'big' } });
  const none = await answer('/v1/budgets', {
    limit_usd: '0',
    window: 'total',
    scope: { 'tags.tenant': { none: true }, model: 'o9' },
  });
  assert.equal(admin.spend({ usd: '0.5', tags: { tenant: 'small' } }), 'admitted');
  assert.equal(admin.spend({ usd: '2', tags: { tenant: 'full' } }), 'admitted');
  assert.equal(admin.spend({ usd: '40', tags: { tenant: 'big' } }), 'admitted');
  assert.equal(admin.spend({ usd: '3', tags: { tenant: 'stranger' } }), 'refused');
  assert.equal(admin.spend({ usd: '0.01', model: 'o9' }), 'refused');
  const detail = await answer(`/v1/budgets/${String(each['id'])}?instance=full`);
  assert.partialDeepStrictEqual(detail, {
    exceeded_instances: 2,
    standings: [{ instance: { 'tags.tenant': 'full' }, spent: 2, spent_exact: '2', exceeded: true, resets_at: null }],
  });
  await answer(`/v1/budgets/${String(none['id'])}`, {}, 'DELETE');
});

test('rules can be taken away as a file and brought back, changed where they are still there', async () => {
  await answer('/v1/limits', {
    id: 'per-key',
    measure: 'requests',
    amount: 60,
    per: 'minute',
    scope: { 'key.id': { each: true } },
  });
  const file = await answer('/v1/rules/export');
  assert.ok(Array.isArray(file['budgets']) && file['budgets'].length > 3);
  await answer('/v1/limits/per-key', {}, 'DELETE');
  await answer('/v1/rules/import', file);
  assert.deepEqual(await answer('/v1/rules/export'), file);
  const bad = { budgets: [{ ...GOOD, id: 'fresh' }], limits: [{ measure: 'requests', amount: 1.5, per: 'minute' }] };
  const refused = await admin.ask('/v1/rules/import', bad);
  assert.partialDeepStrictEqual(refused, { status: 400, body: { error: { param: 'limits.0.amount' } } });
  assert.equal((await admin.ask('/v1/budgets/fresh')).status, 404);
});

async function cookieOf(role: Role, teams: readonly string[], email: string): Promise<Record<string, string>> {
  const { accounts } = admin;
  const member = await accounts.members.create(parseMemberNew({ email, role, teams }), 'test');
  const { token } = await accounts.createUiSession(member);
  return { cookie: `apportion_session=${token}`, host: 'gw.example', origin: 'https://gw.example' };
}

test('a team lead reads and makes budgets of their own team, and changes no one else’s', async () => {
  const headers = await cookieOf('team_lead', ['growth'], 'budget-lead@example.com');
  const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: Json): Promise<number> =>
    (await admin.app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })).statusCode;
  const set = await answer('/v1/budgets', { ...GOOD, scope: { 'key.team': 'growth' } });
  const other = await answer('/v1/budgets', { ...GOOD, scope: { 'key.team': 'search' } });
  assert.equal(await ask('GET', `/v1/budgets/${String(set['id'])}`), 200);
  assert.equal(await ask('PATCH', `/v1/budgets/${String(set['id'])}`, { limit_usd: '99' }), 403);
  assert.equal(await ask('POST', `/v1/budgets/${String(set['id'])}/raise`, { by_usd: '1', duration: '1h' }), 403);
  assert.equal(await ask('GET', `/v1/budgets/${String(other['id'])}`), 404);
  assert.equal(await ask('PATCH', `/v1/budgets/${String(other['id'])}`, { limit_usd: '99' }), 404);
  assert.equal(await ask('POST', '/v1/budgets', { ...GOOD, id: 'wide' }), 403);
  const own = { ...GOOD, id: 'own', scope: { 'key.team': 'growth', model: 'gpt-4o' } };
  assert.equal(await ask('POST', '/v1/budgets', own), 200);
  assert.equal(await ask('PATCH', '/v1/budgets/own', { scope: { 'key.team': 'search' } }), 403);
  assert.equal(await ask('PATCH', '/v1/budgets/own', { limit_usd: '2' }), 200);
  const list = await admin.app.inject({ url: '/v1/budgets', headers });
  const { data }: { data: readonly { readonly id: string }[] } = list.json();
  assert.deepEqual(new Set(data.map(({ id }) => id)), new Set([set['id'], 'own']));
  assert.equal(await ask('DELETE', '/v1/budgets/own', {}), 200);
  const viewer = await cookieOf('viewer', ['growth'], 'budget-viewer@example.com');
  const refused = await admin.app.inject({ method: 'POST', url: '/v1/budgets', headers: viewer, payload: own });
  assert.equal(refused.statusCode, 403);
});
