import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readLimit } from '#accounts';
import type { RateLimit } from '#budgets';
import { ApportionError } from '#terms';
import { openAdmin } from '../open-admin.fixture.ts';
import { openAdminWithBook, type AdminWithBook } from '../budgets/budget-book.fixture.ts';

let admin: AdminWithBook;

before(async () => {
  admin = await openAdminWithBook();
});
after(() => admin.close());

type Json = { readonly [name: string]: unknown };

function fields(value: unknown): Json {
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

async function answer(url: string, body?: Json): Promise<Json> {
  const { status, body: given } = await admin.ask(url, body);
  assert.equal(status, 200, JSON.stringify(given));
  return fields(given);
}

const budgetIds = (): readonly string[] => admin.accounts.ring.budgets.map(({ id }) => id).toSorted();
const limitsOf = (prefix: string): readonly RateLimit[] =>
  admin.accounts.ring.limits.filter(({ id }) => id.startsWith(prefix)).map(readLimit);

test('a key has the budgets and limits it was made with, and takes them with it', async () => {
  const made = await answer('/key/generate', {
    key_alias: 'ci',
    max_budget: 10,
    soft_budget: 5,
    budget_duration: '30d',
    rpm_limit: 60,
    tpm_limit: 1000,
    max_parallel_requests: 2,
    model_max_budget: { 'gpt-4o': { budget_limit: 0.0000001, time_period: '1d' }, o1: { max_budget: 3 } },
    budget_limits: [{ max_budget: 1, budget_duration: '1h' }],
  });
  assert.partialDeepStrictEqual(made, {
    max_budget: 10,
    soft_budget: 5,
    budget_duration: '30d',
    rpm_limit: 60,
    tpm_limit: 1000,
    max_parallel_requests: 2,
    spend: 0,
    spend_exact: '0',
    model_max_budget: { 'gpt-4o': { max_budget: 1e-7, budget_duration: '1d' } },
    budget_limits: [{ max_budget: 1, budget_duration: '1h' }],
  });
  assert.match(String(made['budget_reset_at']), /-01T00:00:00.000Z$/);
  const id = String(made['id']);
  const names = ['max', 'model.gpt-4o', 'model.o1', 'soft', 'window.1h'];
  assert.deepEqual(
    budgetIds(),
    names.map((name) => `key:${id}:${name}`),
  );
  assert.equal(admin.spend({ usd: '0.75', key: id }), 'admitted');
  assert.equal(admin.spend({ usd: '0.75', key: id }), 'refused', 'the hour holds one dollar');
  assert.equal(admin.spend({ usd: '0.001', key: id, model: 'gpt-4o' }), 'refused');
  const info = await answer(`/key/info?key=${id}`);
  assert.partialDeepStrictEqual(info['info'], { spend: 0.75, spend_exact: '0.75', max_budget: 10 });
  assert.deepEqual(new Set(limitsOf(`key:${id}`).map(({ amount }) => amount)), new Set([60n, 1000n, 2n]));

  const changed = await answer('/key/update', { key: id, max_budget: 0.5, rpm_limit: null, budget_limits: null });
  assert.partialDeepStrictEqual(changed, { max_budget: 0.5, rpm_limit: null, tpm_limit: 1000, spend: 0.75 });
  assert.equal(admin.spend({ usd: '0.1', key: id }), 'refused', 'what was spent stays');
  await answer('/key/update', { key: id, temp_budget_increase: 1, temp_budget_expiry: '1d' });
  assert.equal(admin.spend({ usd: '0.1', key: id }), 'admitted');
  await answer('/key/update', { key: id, key_alias: 'build' });
  assert.equal(admin.spend({ usd: '0.1', key: id }), 'admitted', 'an edit of something else keeps the raise');
  const refused = await admin.ask(`/v1/budgets/key:${id}:max`, { limit_usd: '99' }, 'PATCH');
  assert.partialDeepStrictEqual(refused, { status: 409, body: { error: { param: 'id' } } });
  await answer('/key/delete', { keys: [id] });
  assert.deepEqual([budgetIds(), limitsOf('key:')], [[], []]);
});

test('a key without budgets has none, and says what it spent', async () => {
  const { id } = await answer('/key/generate', {});
  assert.deepEqual(budgetIds(), []);
  assert.partialDeepStrictEqual((await answer(`/key/info?key=${String(id)}`))['info'], {
    max_budget: null,
    spend: 0,
    budget_reset_at: null,
  });
});

test('a team’s budget counts what its keys prove, and goes with the team', async () => {
  await answer('/team/new', { team_id: 'growth', max_budget: 2, budget_duration: '1d' });
  await answer('/key/generate', { team_id: 'growth', max_budget: 1 });
  assert.equal(admin.spend({ usd: '2', tags: { team: 'growth' } }), 'admitted', 'who only says so is not of the team');
  assert.equal(admin.spend({ usd: '2', team: 'growth' }), 'admitted');
  assert.equal(admin.spend({ usd: '0.1', team: 'growth' }), 'refused');
  const info = await answer('/team/info?team_id=growth');
  assert.partialDeepStrictEqual(info, { team_info: { spend: 2, max_budget: 2 }, keys: [{ spend: 0, max_budget: 1 }] });
  const { data } = await answer('/team/update', { team_id: 'growth', max_budget: 3 });
  assert.partialDeepStrictEqual(data, { spend: 2, max_budget: 3 });
  await answer('/team/delete', { team_ids: ['growth'] });
  assert.deepEqual(budgetIds(), []);
});

test('a tag’s budget counts the calls that carry it, whoever says so, and only adds a bound', async () => {
  for (const name of ['engineering', 'feature:search', 'US/California']) {
    await answer('/tag/new', { name, max_budget: 500, budget_duration: '30d' });
  }
  assert.deepEqual(
    admin.accounts.ring.budgets.map(({ scope }) => scope[0]),
    [
      { on: 'label', label: 'US/California' },
      { on: 'dimension', key: 'feature', values: { kind: 'is', value: 'search' } },
      { on: 'label', label: 'engineering' },
    ],
  );
  assert.equal(admin.spend({ usd: '499', tags: { feature: 'search' } }), 'admitted');
  assert.equal(admin.spend({ usd: '2', tags: { feature: 'search' } }), 'refused');
  assert.equal(admin.spend({ usd: '2' }), 'admitted');
  const info = await answer('/tag/info', { names: ['feature:search'] });
  assert.partialDeepStrictEqual(info['feature:search'], { max_budget: 500, spend: 499 });
  await answer('/tag/update', { name: 'feature:search', max_budget: 600 });
  assert.equal(admin.spend({ usd: '2', tags: { feature: 'search' } }), 'admitted');
  for (const name of ['engineering', 'feature:search', 'US/California']) await answer('/tag/delete', { name });
  assert.deepEqual(budgetIds(), []);
});

test('a plan holds for all that have it, each by itself, and changes for all at once', async () => {
  const plan = await answer('/budget/new', { budget_id: 'free', max_budget: 1, budget_duration: '1d', rpm_limit: 10 });
  assert.partialDeepStrictEqual(plan, { budget_id: 'free', max_budget: 1, budget_duration: '1d', rpm_limit: 10 });
  for (const user_id of ['acme', 'globex']) await answer('/customer/new', { user_id, budget_id: 'free' });
  assert.equal(admin.spend({ usd: '1', tags: { customer: 'acme' } }), 'admitted');
  assert.equal(admin.spend({ usd: '0.5', tags: { customer: 'acme' } }), 'refused');
  assert.equal(admin.spend({ usd: '0.5', tags: { customer: 'globex' } }), 'admitted');
  await answer('/budget/update', { budget_id: 'free', max_budget: 2 });
  assert.equal(admin.spend({ usd: '0.5', tags: { customer: 'acme' } }), 'admitted');
  await answer('/customer/update', { user_id: 'acme', max_budget: 100 });
  const acme = await answer('/customer/info?end_user_id=acme');
  assert.partialDeepStrictEqual(acme, {
    user_id: 'acme',
    spend: 1.5,
    blocked: false,
    max_budget: 100,
    litellm_budget_table: { budget_id: 'free', max_budget: 100, rpm_limit: 10, budget_duration: '1d' },
  });
  assert.partialDeepStrictEqual((await admin.ask('/end_user/list')).body, [{ user_id: 'acme' }, { user_id: 'globex' }]);
  assert.partialDeepStrictEqual((await admin.ask('/budget/info', { budgets: ['free'] })).body, [{ max_budget: 2 }]);
  assert.partialDeepStrictEqual((await admin.ask('/budget/list')).body, [{ budget_id: 'free' }]);
  const settings = (await admin.ask('/budget/settings?budget_id=free')).body;
  assert.partialDeepStrictEqual(settings, [{ field_name: 'max_budget', field_value: 2 }]);
  assert.equal((await admin.ask('/budget/delete', { id: 'free' })).status, 409);
  await answer('/customer/delete', { user_ids: ['acme', 'globex'] });
  await answer('/budget/delete', { id: 'free' });
  assert.deepEqual([budgetIds(), limitsOf('customer:')], [[], []]);
});

test('a blocked customer makes no call, known before or not', async () => {
  const { blocked_users: blocked } = await answer('/customer/block', { user_ids: ['mallory'] });
  assert.partialDeepStrictEqual(blocked, [{ user_id: 'mallory', blocked: true }]);
  assert.partialDeepStrictEqual(limitsOf('customer:mallory:'), [{ measure: 'parallel', amount: 0n }]);
  await answer('/customer/unblock', { user_ids: ['mallory'] });
  assert.deepEqual(limitsOf('customer:mallory:'), []);
});

test('a user has a budget over all keys of theirs, and a key at once', async () => {
  const made = await answer('/user/new', {
    user_id: 'ann',
    user_email: 'ann@example.com',
    max_budget: 1,
    send_invite_email: false,
  });
  assert.partialDeepStrictEqual(made, { user_id: 'ann', max_budget: 1, spend: 0 });
  assert.match(String(made['key']), /^sk-ap-/);
  await answer('/key/generate', { user_id: 'ann' });
  await answer('/key/generate', { user_id: 'bob' });
  assert.equal(admin.spend({ usd: '1', owner: 'ann' }), 'admitted');
  assert.equal(admin.spend({ usd: '0.1', owner: 'ann' }), 'refused');
  const info = await answer('/user/info?user_id=ann');
  assert.partialDeepStrictEqual(info, { user_info: { spend: 1, user_email: 'ann@example.com' }, keys: [{}, {}] });
  const list = await answer('/user/list');
  assert.partialDeepStrictEqual(list, { total: 2, users: [{ user_id: 'ann' }, { user_id: 'bob', max_budget: null }] });
  await answer('/user/update', { user_id: 'ann', max_budget: null });
  assert.equal(admin.spend({ usd: '0.1', owner: 'ann' }), 'admitted');
  const gone = await answer('/user/delete', { user_ids: ['ann'] });
  assert.partialDeepStrictEqual(gone, { deleted_users: ['ann'] });
  assert.equal((await admin.ask('/user/info?user_id=ann')).status, 404);
});

test('a key is blocked and its budget changed while reports do not answer; what it spent is then unknown, not zero', async (context) => {
  const store = {
    asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
    query: async () => {
      throw new ApportionError('ledger_unavailable', 'The store is away.');
    },
  };
  const alone = await openAdmin(store);
  context.after(alone.close);
  const { body } = await alone.ask('/key/generate', { max_budget: 5 });
  const { id } = fields(body);
  const blocked = await alone.ask('/key/block', { key: id });
  assert.partialDeepStrictEqual(blocked, { status: 200, body: { blocked: true, spend: null, max_budget: 5 } });
  const changed = await alone.ask('/key/update', { key: id, max_budget: null });
  assert.partialDeepStrictEqual(changed, { status: 200, body: { spend: null, spend_exact: null, max_budget: null } });
});

for (const [url, body, param] of [
  ['/key/generate', { max_budget: 'lots' }, 'max_budget'],
  ['/key/generate', { budget_id: 'nothing' }, 'budget_id'],
  ['/key/generate', { model_max_budget: { o1: {} } }, 'model_max_budget.o1.max_budget'],
  ['/key/generate', { max_budget: 1, temp_budget_increase: 1 }, 'temp_budget_expiry'],
  ['/key/generate', { temp_budget_increase: 1, temp_budget_expiry: '1d' }, 'temp_budget_increase'],
  ['/budget/new', { max_budgit: 1 }, 'max_budgit'],
  ['/budget/update', { max_budget: 1 }, 'budget_id'],
  ['/customer/new', { user_id: 'x', allowed_model_region: 'eu' }, 'allowed_model_region'],
  ['/customer/new', { user_id: 'x', spend: 5 }, 'spend'],
  ['/customer/new', {}, 'user_id'],
  ['/user/new', { user_role: 'proxy_admin' }, 'user_role'],
  ['/user/new', { send_invite_email: true }, 'send_invite_email'],
  ['/user/new', { teams: ['growth'] }, 'teams'],
] as const) {
  test(`${url} with ${JSON.stringify(body)} is refused at ${param}, and leaves nothing behind`, async () => {
    const { revision } = admin.accounts.ring;
    const { status, body: given } = await admin.ask(url, body);
    assert.equal(status, 400, JSON.stringify(given));
    assert.partialDeepStrictEqual(given, { error: { param } });
    assert.equal(admin.accounts.ring.revision, revision);
  });
}
