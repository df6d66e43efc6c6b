import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadConfig } from '#config';
import { makePriceBook, parsePriceTerm } from '#pricing';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

const MILLION = 1_000_000;

function row(provider: string, model: string, [input, output]: readonly [string, string]): object {
  const rates = { input: { amount: input, per: MILLION }, output_text: { amount: output, per: MILLION } };
  return {
    provider,
    model,
    rates,
    id: `${provider}/${model}`,
    max_output_tokens: 1000,
    source: 'a list',
    checked: '2026-11-01',
  };
}

const BOOK = makePriceBook(
  [
    row('openai', 'gpt-4o', ['2.5', '10']),
    row('azure', 'gpt-4o', ['2.75', '11']),
    row('anthropic', 'claude-x', ['3', '15']),
    row('azure', 'only-there', ['1', '1']),
    row('google', 'gemini-x', ['1', '1']),
  ].flatMap((one) => parsePriceTerm(one).rows),
);

const CONFIG = {
  providers: {
    east: { wire: 'openai', base_url: 'http://east.test/v1', price_as: 'azure', region: 'eastus', models: ['gpt-4o'] },
    openai: { api_key: 'sk-test' },
  },
  models: { fast: { deployments: [{ model: 'openai/gpt-4o' }] } },
};

let admin: OpenAdmin;
let bare: OpenAdmin;

before(async () => {
  const { providers, routing } = loadConfig({
    env: { APPORTION_CONFIG: 'apportion.jsonc' },
    readFile: () => JSON.stringify(CONFIG),
  });
  admin = await openAdmin(undefined, { book: BOOK, providers, routes: routing.routes });
  bare = await openAdmin(undefined, { book: BOOK });
});
after(() => Promise.all([admin.close(), bare.close()]));

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, JSON.stringify(value));
  return { ...value };
}

const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
const CHAT = { wire: 'openai.chat', usage: USAGE };

async function quoted(body: object, one = admin): Promise<Record<string, unknown>> {
  const answer = await one.ask('/v1/prices/quote', body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return fields(answer.body);
}

for (const [name, body, place, cost] of [
  ['a model is the first configured provider’s that has a price', { model: 'gpt-4o' }, 'azure east gpt-4o', '0.00385'],
  ['a route is its first deployment', { model: 'fast' }, 'openai openai gpt-4o', '0.0035'],
  ['provider/model names a configured provider', { model: 'openai/gpt-4o' }, 'openai openai gpt-4o', '0.0035'],
  ['provider/model names a public list', { model: 'azure/gpt-4o' }, 'azure azure gpt-4o', '0.00385'],
  ['provider stands for itself', { provider: 'azure', model: 'only-there' }, 'azure azure only-there', '0.0011'],
  ['what nobody configured is found in any list', { model: 'claude-x' }, 'anthropic anthropic claude-x', '0.0045'],
  ['what nobody knows is unpriced', { model: 'unheard-of' }, 'openai openai unheard-of', null],
] as const) {
  test(`where a quote looks: ${name}`, async () => {
    const { provider, account, model, ...quote } = await quoted({ ...CHAT, ...body });
    assert.deepEqual(
      [`${String(provider)} ${String(account)} ${String(model)}`, quote['cost_usd_exact']],
      [place, cost],
    );
  });
}

test('without anything configured a model is its maker’s', async () => {
  assert.equal((await quoted({ ...CHAT, model: 'gpt-4o' }, bare))['provider'], 'openai');
  assert.equal((await quoted({ ...CHAT, model: 'only-there' }, bare))['provider'], 'azure');
});

test('what has no price is named, and is not zero', async () => {
  const quote = await quoted({ ...CHAT, model: 'unheard-of' });
  assert.deepEqual(
    [quote['cost_state'], quote['cost_usd'], quote['unpriced_meters'], quote['reason']],
    ['unpriced', null, ['input', 'output_text'], 'model_without_price'],
  );
});

test('contract and markup are applied for whom they are, and list, cost and billed stand apart', async (context) => {
  const one = await openAdmin(undefined, { book: BOOK });
  context.after(one.close);
  await one.ask('/v1/contracts', { id: 'deal', provider: 'openai', discount: '0.1', effective_from: '2026-01-01' });
  const acme = { id: 'acme', tag: { key: 'customer', value: 'acme' }, markup: '0.5', effective_from: '2026-01-01' };
  await one.ask('/v1/markups', acme);
  const amounts = async (more: object): Promise<unknown[]> => {
    const quote = await quoted({ ...CHAT, model: 'gpt-4o', ...more }, one);
    return [quote['list_cost_usd_exact'], quote['cost_usd_exact'], quote['billed_usd_exact'], quote['terms']];
  };
  assert.deepEqual(await amounts({ tags: { customer: 'acme' } }), ['0.0035', '0.00315', '0.004725', ['deal', 'acme']]);
  assert.deepEqual(await amounts({ tags: { customer: 'globex' } }), ['0.0035', '0.00315', '0.00315', ['deal']]);
  assert.deepEqual(await amounts({ at: '2025-12-31' }), ['0.0035', '0.0035', '0.0035', []]);
  assert.deepEqual(await amounts({ pricing: { rates: { input: { amount: '1', per: 1000 } } } }), [null, '1', '1', []]);
});

test('each line says its price, the row it comes from and the model of that row', async () => {
  const { lines, price_book: book, currency } = await quoted({ ...CHAT, provider: 'openai', model: 'gpt-4o' });
  assert.deepEqual(lines, [
    {
      meter: 'input',
      quantity: 1000,
      unit_price_usd: '2.5',
      per: MILLION,
      amount_usd_exact: '0.0025',
      price_row: 'openai/gpt-4o',
      model: 'gpt-4o',
    },
    {
      meter: 'output_text',
      quantity: 100,
      unit_price_usd: '10',
      per: MILLION,
      amount_usd_exact: '0.001',
      price_row: 'openai/gpt-4o',
      model: 'gpt-4o',
    },
  ]);
  assert.deepEqual([book, currency], [BOOK.version, 'USD']);
});

test('messages are an estimate with the output they allow, and the most they can cost', async () => {
  const messages = [{ role: 'user', content: 'Good morning, ledger.' }];
  const asked = { provider: 'openai', model: 'gpt-4o', messages };
  const limited = await quoted({ ...asked, max_tokens: 100, n: 2 });
  assert.equal(limited['cost_state'], 'estimated');
  assert.equal(fields(limited['meters'])['output_text'], 200);
  assert.ok(Number(limited['upper_bound_usd_exact']) >= Number(limited['cost_usd_exact']));
  const open = await quoted(asked);
  assert.equal(fields(open['meters'])['output_text'], undefined);
  assert.ok(Number(open['upper_bound_usd_exact']) >= 0.01, 'the model’s own limit bounds it');
  const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] }];
  assert.equal((await quoted({ ...asked, messages: image }))['upper_bound_usd_exact'], null);
});

for (const [body, param] of [
  [{}, 'usage'],
  [{ usage: USAGE }, 'wire'],
  [{ wire: 'openai.chad', usage: USAGE }, 'wire'],
  [{ wire: 'openai.chat', usage: 'none' }, 'usage'],
  [{ ...CHAT, events: [] }, 'events'],
  [{ wire: 'openai.chat', events: [] }, 'events'],
  [{ messages: [{ role: 'user', content: 'x' }] }, 'model'],
  [{ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }], usage: USAGE }, 'usage'],
  [{ ...CHAT, at: 'soon' }, 'at'],
  [{ ...CHAT, context: { at: 5 } }, 'context.at'],
  [{ ...CHAT, pricing: { rates: { input: { amount: 1, per: 1 } } } }, 'pricing.rates.input.amount'],
  [{ ...CHAT, tags: ['x'] }, 'tags'],
  [{ ...CHAT, tag: 'x' }, 'tag'],
] as const) {
  test(`a quote for ${JSON.stringify(body).slice(0, 80)} is refused at ${param}`, async () => {
    const { status, body: answer } = await admin.ask('/v1/prices/quote', body);
    const error = fields(fields(answer)['error']);
    assert.deepEqual([status, error['code'], error['param']], [400, 'invalid_field', param], JSON.stringify(error));
  });
}

test('LiteLLM’s question is answered for a prompt and for an answer, by model or route', async () => {
  const cost = async (body: object): Promise<unknown> => {
    const answer = await admin.ask('/spend/calculate', body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return fields(answer.body)['cost'];
  };
  const completion = { id: 'c', object: 'chat.completion', model: 'gpt-4o', choices: [], usage: USAGE };
  assert.equal(await cost({ completion_response: completion }), 0.00385);
  assert.equal(await cost({ model: 'fast', completion_response: completion }), 0.0035);
  const anthropic = { type: 'message', model: 'claude-x', usage: { input_tokens: 1000, output_tokens: 100 } };
  assert.equal(await cost({ completion_response: anthropic }), 0.0045);
  const usageMetadata = { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 };
  assert.equal(
    await cost({ completion_response: { candidates: [], modelVersion: 'gemini-x', usageMetadata } }),
    0.0011,
  );
  const response = {
    object: 'response',
    model: 'gpt-4o',
    output: [],
    usage: { input_tokens: 1000, output_tokens: 100 },
  };
  assert.equal(await cost({ model: 'fast', completion_response: response }), 0.0035);
  const prompt = await cost({ model: 'fast', messages: [{ role: 'user', content: 'Good morning, ledger.' }] });
  assert.ok(typeof prompt === 'number' && prompt > 0 && prompt < 0.0001);
});

for (const [body, param] of [
  [{}, 'messages'],
  [{ messages: [{ role: 'user', content: 'x' }] }, 'model'],
  [{ model: 'unheard-of', messages: [{ role: 'user', content: 'x' }] }, 'model'],
  [{ completion_response: { model: 'gpt-4o' } }, 'usage'],
] as const) {
  test(`/spend/calculate of ${JSON.stringify(body)} is a 400 at ${param}, not 0`, async () => {
    const { status, body: answer } = await admin.ask('/spend/calculate', body);
    assert.deepEqual([status, fields(fields(answer)['error'])['param']], [400, param]);
  });
}
