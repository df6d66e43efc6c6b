import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { loadPriceBook } from '#pricing';
import { systemClock } from '#std';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

const list = z.object({
  object: z.literal('list'),
  data: z.array(
    z.looseObject({
      id: z.string(),
      provider: z.string(),
      model: z.string(),
      layer: z.enum(['operator', 'overlay', 'seed']),
      effective_from: z.string().nullable(),
      effective_to: z.string().nullable(),
      rates: z.record(z.string(), z.object({ amount: z.string(), per: z.number() })),
    }),
  ),
  version: z.string(),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
});

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin(undefined, { book: await loadPriceBook() });
});
after(() => admin.close());

async function prices(query: string): Promise<z.infer<typeof list>> {
  const { status, body } = await admin.ask(`/v1/prices?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return list.parse(body);
}

test('a model is found by its canonical name and by any other it is called by', async () => {
  const canonical = await prices('provider=openai&model=gpt-4o&at=2026-11-01');
  assert.deepEqual(await prices('provider=openai&model=gpt-4o-2024-08-06&at=2026-11-01'), canonical);
  assert.deepEqual(await prices('provider=openai&model=GPT-4o&at=2026-11-01'), canonical);
  const row = canonical.data.find(({ model, rates }) => model === 'gpt-4o' && rates['input'] !== undefined);
  assert.deepEqual(row?.rates['input'], { amount: '2.5', per: 1_000_000 });
  assert.deepEqual((await prices('provider=openai&model=no-such-model')).data.length, 0);
});

test('without a provider a model is listed at each that has it', async () => {
  const { data } = await prices('model=claude-sonnet-4-6');
  const providers = new Set(data.map(({ provider }) => provider));
  assert.ok(providers.has('anthropic') && providers.has('google'), [...providers].join(', '));
});

test('the whole list comes in pages, each row once', async () => {
  const whole = await prices('at=all&limit=1000');
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: z.infer<typeof list> = await prices(
      `at=all&limit=997${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    seen.push(...page.data.map(({ id }) => id));
    assert.equal(page.has_more, page.next_cursor !== null);
    cursor = page.next_cursor;
  }
  assert.ok(seen.length > 1000, `${seen.length} rows`);
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(
    seen.slice(0, 1000),
    whole.data.map(({ id }) => id),
  );
});

test('the history of a model has rows that do not hold now', async () => {
  const [now, ever] = [await prices('provider=openai&model=o3'), await prices('provider=openai&model=o3&at=all')];
  assert.ok(ever.data.length >= now.data.length);
  for (const { effective_to: to } of now.data) assert.ok(to === null || Date.parse(to) > systemClock.now());
});

test('a price of the operator stands before the public ones, and ends where its successor begins', async (context) => {
  const one = await openAdmin(undefined, { book: await loadPriceBook() });
  context.after(one.close);
  const rates = (amount: string): object => ({
    input: { amount, per: 1_000_000 },
    output_text: { amount: '8', per: 1_000_000 },
  });
  const say = async (id: string, from: string, amount: string): Promise<void> => {
    const term = { id, provider: 'openai', model: 'gpt-4o', effective_from: from, rates: rates(amount) };
    assert.equal((await one.ask('/v1/prices', term)).status, 200);
  };
  const publicOnly = list.parse((await one.ask('/v1/prices?provider=openai&model=gpt-4o')).body).version;
  await say('from-january', '2026-01-01', '2');
  await say('from-june', '2026-06-01', '3');
  const found = async (at: string): Promise<(string | null)[]> => {
    const { data } = list.parse(
      (await one.ask(`/v1/prices?provider=openai&model=gpt-4o&layer=operator&at=${at}`)).body,
    );
    return data.map(({ id, effective_to: to }) => `${id} until ${to}`);
  };
  assert.deepEqual(await found('2025-12-31'), []);
  assert.deepEqual(await found('2026-05-31'), ['from-january until 2026-06-01T00:00:00.000Z']);
  assert.deepEqual(await found('2026-06-01'), ['from-june until null']);
  assert.deepEqual(await found('all'), ['from-june until null', 'from-january until 2026-06-01T00:00:00.000Z']);
  const all = list.parse((await one.ask('/v1/prices?provider=openai&model=gpt-4o&at=2026-06-01')).body);
  assert.equal(all.data[0]?.id, 'from-june');
  assert.notEqual(all.version, publicOnly);
});

for (const [query, param] of [
  ['at=yesterday', 'at'],
  ['layer=ours', 'layer'],
  ['limit=0', 'limit'],
  ['models=gpt-4o', 'models'],
  ['cursor=nowhere', 'cursor'],
] as const) {
  test(`GET /v1/prices?${query} is a 400`, async () => {
    const { status, body } = await admin.ask(`/v1/prices?${query}`);
    assert.deepEqual([status, z.object({ error: z.looseObject({}) }).parse(body).error['param']], [400, param]);
  });
}
