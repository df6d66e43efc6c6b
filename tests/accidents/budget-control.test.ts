import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type Gateway } from '#world';

type Json = Readonly<Record<string, unknown>>;

let gateway: Gateway;

before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

async function ask(path: string, body?: object, key = gateway.adminKey): Promise<{ status: number; body: Json }> {
  const answer = await fetch(gateway.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: Json = JSON.parse(await answer.text());
  return { status: answer.status, body: parsed };
}

async function done(path: string, body: object): Promise<Json> {
  const answer = await ask(path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function callStatus(key: string, tags: object = {}): Promise<number> {
  const messages = [{ role: 'user', content: 'Hello' }];
  return (await ask('/v1/chat/completions', { model: 'sandbox-mini', messages, tags }, key)).status;
}

let adjusted = 0;

/** Money that the ledger has for a time, and for whom. */
async function adjust(amount_usd: string, about: object): Promise<void> {
  adjusted += 1;
  await done('/v1/adjustments', { amount_usd, reason: 'test', idempotency_key: `adjusted-${adjusted}`, ...about });
}

const DAY_MS = 86_400_000;

test('D13: a window given to a key that has spent counts only what was spent inside it', async () => {
  const made = await done('/key/generate', {});
  const [key, key_id] = [String(made['key']), String(made['id'])];
  const daysAgo = new Date(Date.parse(String(made['created_at'])) - 2 * DAY_MS).toISOString();
  await adjust('100', { key_id, effective_at: daysAgo });
  await done('/key/update', { key, max_budget: 50, budget_duration: '1d' });
  assert.equal(await callStatus(key), 200);
  const { info } = (await ask(`/key/info?key=${key_id}`)).body;
  assert.ok(typeof info === 'object' && info !== null && 'max_budget' in info && info.max_budget === 50);
  // Of all time the same money counts at once.
  await done('/key/update', { key, budget_duration: null });
  assert.equal(await callStatus(key), 402);
  await done('/key/update', { key, max_budget: 101 });
  assert.equal(await callStatus(key), 200);
});

test('D19: what a tag spent wrongly is put right by an adjustment, in its budget too, and audited', async () => {
  const { key } = await done('/key/generate', {});
  await done('/tag/new', { name: 'project:atlas', max_budget: 1 });
  const tags = { project: 'atlas' };
  assert.equal(await callStatus(String(key), tags), 200);
  await adjust('5', { tags });
  assert.equal(await callStatus(String(key), tags), 402);
  assert.equal(await callStatus(String(key)), 200);
  await adjust('-5', { tags });
  assert.equal(await callStatus(String(key), tags), 200);
  const { data } = (await ask('/v1/audit?limit=1000')).body;
  assert.ok(Array.isArray(data));
  const deeds = data.filter(({ action }) => String(action).startsWith('adjustment'));
  assert.ok(deeds.length >= 2, JSON.stringify(data.slice(0, 3)));
});

test('a blocked customer makes no call until it is unblocked, and a plan holds for a new customer at once', async () => {
  const { key } = await done('/key/generate', {});
  const mallory = { customer: 'mallory' };
  assert.equal(await callStatus(String(key), mallory), 200);
  await done('/customer/block', { user_ids: ['mallory'] });
  assert.equal(await callStatus(String(key), mallory), 429);
  assert.equal(await callStatus(String(key), { customer: 'trent' }), 200);
  await done('/customer/unblock', { user_ids: ['mallory'] });
  assert.equal(await callStatus(String(key), mallory), 200);
  await done('/budget/new', { budget_id: 'nothing', max_budget: 0 });
  await done('/customer/new', { user_id: 'walter', budget_id: 'nothing' });
  assert.equal(await callStatus(String(key), { customer: 'walter' }), 402);
  await done('/budget/update', { budget_id: 'nothing', max_budget: 1 });
  assert.equal(await callStatus(String(key), { customer: 'walter' }), 200);
});
