import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock } from '#std';
import { openAccounts, type Accounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';
import { KeyRing } from './key-ring.ts';
import { type PriceTermKind, type StoredPriceTerm } from './price-term-record.ts';
import { parsePriceTermRequest, type PriceTermRequest } from './price-term-request.ts';

async function open(context: TestContext): Promise<Accounts> {
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  return accounts;
}

function parse(body: unknown, kind: PriceTermKind | null = null): PriceTermRequest {
  return parsePriceTermRequest(body, { kind, now: systemClock.now(), random: randomBytes });
}

const PRICE = {
  provider: 'openai',
  model: 'gpt-4o',
  rates: { input: { amount: '2', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
};
const MARKUP = { kind: 'markup', team: 'growth', markup: '0.035' };

test('a price needs no id, source or date: it is the operator’s, from now on', () => {
  const before = systemClock.now();
  const { id, kind, body } = parse(PRICE);
  assert.equal(kind, 'price');
  assert.match(id, /^price_[0-9a-f]{20}$/);
  assert.deepEqual(
    { ...body, effective_from: null },
    {
      ...PRICE,
      kind: 'price',
      id,
      source: 'operator',
      checked: String(body['effective_from']).slice(0, 10),
      effective_from: null,
    },
  );
  assert.ok(Date.parse(String(body['effective_from'])) >= before);
  assert.equal(parse({ ...PRICE, effective_from: null }).body['effective_from'], null);
});

for (const [body, kind, param] of [
  [{ ...MARKUP, kind: 'discount' }, null, 'kind'],
  [MARKUP, 'contract', 'kind'],
  [{ ...PRICE, id: 'a+b' }, null, 'id'],
  [[], null, null],
  [{ provider: 'openai', model: 'gpt-4o', rates: { input: { amount: 2, per: 1 } } }, null, 'rates.input.amount'],
  [{ ...MARKUP, markup: 3.5 }, null, 'markup'],
] as const) {
  test(`${JSON.stringify(body)} to ${kind ?? 'any kind'} is refused at ${param}`, () => {
    assert.throws(() => parse(body, kind), { code: 'invalid_field', param });
  });
}

test('what is said about prices reaches every ring before the write returns, newest first', async (context) => {
  const accounts = await open(context);
  const gateway = new KeyRing(await accounts.snapshot(), { clock: systemClock, adminKey: null });
  accounts.onChange(async (change) => void gateway.apply(change));
  const none = gateway.priceTerms;
  const price = await accounts.prices.create(parse(PRICE), 'admin_key');
  assert.deepEqual(gateway.priceTerms, [price]);
  assert.notEqual(gateway.priceTerms, none);
  const markup = await accounts.prices.create(parse(MARKUP), 'dashboard');
  assert.deepEqual(gateway.priceTerms, [markup, price]);
  assert.deepEqual((await accounts.snapshot()).priceTerms, [markup, price]);
  assert.deepEqual(accounts.ring.priceTerms, [markup, price]);
  const kept = gateway.priceTerms;
  await accounts.generateKey(parseKeyGenerate({}));
  assert.equal(gateway.priceTerms, kept, 'a change of something else leaves the list as it is');

  await accounts.prices.delete(price.id, 'admin_key');
  assert.deepEqual(gateway.priceTerms, [markup]);
  assert.deepEqual(new KeyRing(await accounts.snapshot(), { clock: systemClock, adminKey: null }).priceTerms, [markup]);
  assert.notEqual((await accounts.prices.infoOf(price.id)).deletedAt, null);
});

test('an id is taken for ever, deleted or not', async (context) => {
  const accounts = await open(context);
  await accounts.prices.create(parse({ ...PRICE, id: 'gpt-4o/ours' }), 'admin_key');
  const again = parse({ ...PRICE, id: 'gpt-4o/ours', model: 'gpt-4o-mini' });
  await assert.rejects(accounts.prices.create(again, 'admin_key'), { code: 'conflict', param: 'id' });
  await accounts.prices.delete('gpt-4o/ours', 'admin_key');
  await assert.rejects(accounts.prices.create(again, 'admin_key'), { code: 'conflict', param: 'id' });
  await assert.rejects(accounts.prices.delete('gpt-4o/ours', 'admin_key'), { code: 'not_found' });
  await assert.rejects(accounts.prices.infoOf('nothing'), { code: 'not_found' });
});

test('two for the same calls may not begin at the same moment', async (context) => {
  const accounts = await open(context);
  const create = (body: object): Promise<StoredPriceTerm> => accounts.prices.create(parse(body), 'admin_key');
  await create({ ...PRICE, effective_from: '2026-01-01' });
  await assert.rejects(create({ ...PRICE, effective_from: '2026-01-01T00:00:00Z' }), {
    code: 'conflict',
    param: 'effective_from',
  });
  await create({ ...PRICE, effective_from: '2026-02-01' });
  await create({ ...PRICE, model: 'gpt-4o-mini', effective_from: '2026-01-01' });
  await create({ ...MARKUP, effective_from: '2026-01-01' });
  await create({ ...MARKUP, team: 'core', effective_from: '2026-01-01' });
  assert.equal((await accounts.prices.list()).length, 5);
});

test('who said what about prices is recorded with it, newest first, in pages', async (context) => {
  const accounts = await open(context);
  const price = await accounts.prices.create(parse(PRICE), 'admin_key');
  await assert.rejects(accounts.prices.create(parse({ ...PRICE, id: price.id }), 'admin_key'));
  await accounts.prices.delete(price.id, 'dashboard');
  await accounts.audit.record({ actor: 'admin_key', action: 'reprice.apply', target: 'job', detail: { changed: 3 } });
  const first = await accounts.audit.list({ limit: 2, cursor: null });
  const rest = await accounts.audit.list({ limit: 2, cursor: first.nextCursor });
  const seen = [...first.records, ...rest.records].map(({ actor, action, target }) => [actor, action, target]);
  assert.deepEqual(seen, [
    ['admin_key', 'reprice.apply', 'job'],
    ['dashboard', 'price.delete', price.id],
    ['admin_key', 'price.create', price.id],
  ]);
  assert.equal(rest.nextCursor, null);
  assert.deepEqual(rest.records[0]?.detail, price.body);
  await assert.rejects(accounts.audit.list({ limit: 1, cursor: "x' OR 1=1" }), { code: 'invalid_query' });
});
