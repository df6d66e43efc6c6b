import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makePriceBook } from '#pricing';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

const MILLION = 1_000_000;
const IN_FILE = {
  kind: 'markup',
  id: 'house',
  team: 'growth',
  markup: '0.05',
};
const PLACES = { prices: 'apportion.jsonc:3:13', 'prices[0]': 'apportion.jsonc:4:5' };

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin(undefined, { book: makePriceBook([]), fileTerms: { terms: [IN_FILE], places: PLACES } });
});
after(() => admin.close());

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, JSON.stringify(value));
  return { ...value };
}

function errorOf({ status, body }: { readonly status: number; readonly body: unknown }): unknown[] {
  const error = fields(fields(body)['error']);
  return [status, error['code'], error['param']];
}

async function ids(url: string): Promise<unknown[]> {
  return [fields((await admin.ask(url)).body)['data']].flat().map((term) => fields(term)['id']);
}

const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

async function costOf(model: string): Promise<Record<string, unknown>> {
  const { body } = await admin.ask('/v1/prices/quote', { wire: 'openai.chat', provider: 'local', model, usage });
  return fields(body);
}

test('a price that is said holds for the next question, and none once it is taken back', async () => {
  assert.equal((await costOf('llama'))['cost_state'], 'unpriced');
  const rates = { input: { amount: '0.2', per: MILLION }, output_text: { amount: '0.4', per: MILLION } };
  const made = fields((await admin.ask('/v1/prices', { provider: 'local', model: 'llama', rates })).body);
  assert.equal(made['kind'], 'price');
  const quoted = await costOf('llama');
  assert.deepEqual([quoted['cost_state'], quoted['cost_usd_exact'], quoted['cost_usd']], ['exact', '0.00024', 0.00024]);
  const url = `/v1/prices/terms/${String(made['id'])}`;
  const gone = fields((await admin.ask(url, {}, 'DELETE')).body);
  assert.equal(typeof gone['deleted_at'], 'string');
  assert.equal((await costOf('llama'))['cost_state'], 'unpriced');
  assert.equal(fields((await admin.ask(url)).body)['deletable'], false, 'it is still found: entries name it');
  assert.deepEqual(errorOf(await admin.ask(url, {}, 'DELETE')), [404, 'not_found', null]);
});

test('contracts and markups are said, listed and taken back at addresses of their own', async () => {
  const contract = { id: 'ours', provider: 'local', discount: '0.25', effective_from: '2026-01-01' };
  assert.equal(fields((await admin.ask('/v1/contracts', contract)).body)['kind'], 'contract');
  assert.equal(fields((await admin.ask('/v1/markups', { id: 'all', markup: '0.1' })).body)['kind'], 'markup');
  assert.deepEqual(await ids('/v1/contracts'), ['ours']);
  assert.deepEqual(await ids('/v1/markups'), ['all', 'house']);
  assert.deepEqual(await ids('/v1/prices/terms'), ['all', 'ours', 'house']);
  assert.deepEqual(await ids('/v1/prices/terms?kind=contract'), ['ours']);
  assert.equal((await admin.ask('/v1/markups/ours')).status, 404);
  assert.equal((await admin.ask('/v1/markups/ours', {}, 'DELETE')).status, 404);
  assert.equal((await admin.ask('/v1/contracts/ours', {}, 'DELETE')).status, 200);
  assert.deepEqual(await ids('/v1/contracts'), []);
});

test('a contract ends where its successor begins', async () => {
  const say = (id: string, from: string): object => ({ id, provider: 'p', discount: '0.1', effective_from: from });
  await admin.ask('/v1/contracts', say('first', '2026-01-01'));
  await admin.ask('/v1/contracts', say('second', '2026-06-01'));
  const first = fields((await admin.ask('/v1/contracts/first')).body);
  assert.equal(first['effective_to'], '2026-06-01T00:00:00.000Z');
});

test('what stands in the configuration file is shown with its line, and changed only there', async () => {
  const found = fields((await admin.ask('/v1/markups/house')).body);
  assert.deepEqual(
    [found['file'], found['deletable'], found['markup'], found['created_at']],
    ['apportion.jsonc:4:5', false, '0.05', null],
  );
  assert.deepEqual(errorOf(await admin.ask('/v1/markups/house', {}, 'DELETE')), [409, 'conflict', 'id']);
  assert.deepEqual(errorOf(await admin.ask('/v1/markups', IN_FILE)), [409, 'conflict', 'id']);
});

test('A28 a price per million that is written as one per token is refused, unless somebody is sure', async () => {
  const price = { provider: 'local', model: 'typo', rates: { input: { amount: '2.5', per: 1 } } };
  assert.deepEqual(errorOf(await admin.ask('/v1/prices', price)), [400, 'invalid_field', 'rates.input']);
  assert.equal((await admin.ask('/v1/prices', { ...price, sure: true })).status, 200);
});

for (const [url, body, expected] of [
  ['/v1/contracts', { provider: 'local', discount: 0.1 }, [400, 'invalid_field', 'discount']],
  ['/v1/contracts', { kind: 'markup', markup: '0.1' }, [400, 'invalid_field', 'kind']],
  [
    '/v1/prices',
    { provider: 'local', model: 'm', rates: { tokens: { amount: '1', per: 1 } } },
    [400, 'invalid_field', 'rates'],
  ],
  ['/v1/prices', { kind: 'discount' }, [400, 'invalid_field', 'kind']],
  ['/v1/prices/terms?kind=discount', undefined, [400, 'invalid_field', 'kind']],
  ['/v1/markups?team=growth', undefined, [400, 'invalid_field', 'team']],
  ['/v1/prices/terms/nothing', undefined, [404, 'not_found', null]],
] as const) {
  test(`${url} with ${JSON.stringify(body)} is refused`, async () => {
    assert.deepEqual(errorOf(await admin.ask(url, body)), expected);
  });
}

test('the audit log says who did what, newest first, in pages', async () => {
  const one = await openAdmin();
  const markup = fields((await one.ask('/v1/markups', { markup: '0.1' })).body);
  await one.ask(`/v1/markups/${String(markup['id'])}`, {}, 'DELETE');
  const seen: unknown[] = [];
  let url: string | null = '/v1/audit?limit=1';
  while (url !== null) {
    const page: Record<string, unknown> = fields((await one.ask(url)).body);
    for (const record of [page['data']].flat()) {
      const { actor, action, target, detail } = fields(record);
      seen.push([actor, action, target, fields(detail)['markup']]);
    }
    url = page['has_more'] === true ? `/v1/audit?limit=1&cursor=${String(page['next_cursor'])}` : null;
  }
  assert.deepEqual(seen, [
    ['admin_key', 'markup.delete', markup['id'], '0.1'],
    ['admin_key', 'markup.create', markup['id'], '0.1'],
  ]);
  assert.deepEqual(errorOf(await one.ask('/v1/audit?cursor=x')), [400, 'invalid_query', 'cursor']);
  await one.close();
});
