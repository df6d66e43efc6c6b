import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { combineTerms, loadPriceBook, makePriceBook, makePrices, parsePriceTerm, type PriceTerms } from '#pricing';
import { ApportionError, formatUsd, parseUsd, sumUsd, type Meters, type PicoUsd, type Usage } from '#terms';
import { anthropicMessages, openAiChat } from '#wires';
import { answered, attempt, cost, exactUsd, NOW, pricesOf, rates } from './priced.ts';

function used(meters: Meters, serviceTier = ''): Usage {
  return { meters, origin: 'reported', raw: '{}', ...(serviceTier === '' ? {} : { serviceTier }) };
}

function chat(prompt: number, completion: number): Usage {
  const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  return answered(openAiChat, { id: 'c', model: 'm', choices: [], usage });
}

function terms(...texts: readonly object[]): PriceTerms {
  return combineTerms(texts.map((text) => parsePriceTerm(text, '')));
}

function priceTerm(changes: object = {}): object {
  return {
    kind: 'price',
    id: 'ours',
    provider: 'p',
    model: 'house-model',
    match: ['house-model'],
    rates: rates({ input: '2', output_text: '8' }),
    ...changes,
  };
}

test('A16: a dated name has every price that its model has, tiers included', async () => {
  const book = await loadPriceBook();
  const pairs = [
    ['openai', 'gpt-5', 'gpt-5-2025-08-07'],
    ['openai', 'gpt-4o', 'gpt-4o-2024-08-06'],
    ['openai', 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18'],
    ['openai', 'o3', 'o3-2025-04-16'],
    ['anthropic', 'claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'],
    ['anthropic', 'claude-haiku-4-5', 'claude-haiku-4-5-20251001'],
    ['anthropic', 'claude-opus-4-5', 'claude-opus-4-5-20251101'],
  ] as const;
  for (const [provider, alias, snapshot] of pairs) {
    const [one, other] = [alias, snapshot].map((model) => book.find({ provider, model, at: NOW }));
    assert.ok(one !== undefined, alias);
    assert.deepEqual(other, one, snapshot);
  }
});

test('A24: a deployment whose model nobody named is not priced by the look of its name', () => {
  const prices = pricesOf({ input: '2', output_text: '8' });
  const rated = cost(chat(100, 10), prices, { asked: 'm-eastus-prod-2' });
  assert.deepEqual([rated.state, rated.cost, rated.reason], ['unpriced', null, 'model_without_price']);
  // The deployment's own name is priced as soon as the operator says what it costs.
  const own = makePrices(
    makePriceBook([]),
    terms(priceTerm({ provider: 'azure-east', model: 'm-eastus-prod-2', match: ['m-eastus-prod-2'] })),
  );
  assert.equal(exactUsd(chat(100, 10), own, { account: 'azure-east', asked: 'm-eastus-prod-2' }), '0.00028');
});

test('A25: a mapping that leads to no price costs nothing in no report: it has no cost, and a reason', () => {
  const prices = pricesOf({ input: '2', output_text: '8' });
  const { state, cost: none, billed, listCost, reason } = cost(chat(100, 10), prices, { provider: 'nobody' });
  assert.deepEqual([state, none, billed, listCost, reason], ['unpriced', null, null, null, 'model_without_price']);
});

test('A26: an unknown model has no cost and says why, and what it used is named', () => {
  const rated = cost(chat(100, 10), pricesOf({ input: '2' }), { answered: 'm-2', asked: 'm-2' });
  assert.deepEqual(
    [rated.state, rated.cost, rated.reason, rated.unpricedMeters],
    ['unpriced', null, 'model_without_price', ['input', 'output_text']],
  );
});

test('A27: the price book comes with the product, has a version that each change moves, and refuses what it cannot read', async () => {
  const book = await loadPriceBook();
  const again = await loadPriceBook();
  assert.equal(book.version, again.version);
  const changed = makePriceBook(book.rows.slice(1));
  assert.notEqual(changed.version, book.version);
  const prices = makePrices(book, terms(priceTerm()));
  assert.ok(prices.version.startsWith(book.version) && prices.version !== book.version);
  for (const broken of [
    null,
    'price',
    priceTerm({ rates: { input: '2' } }),
    priceTerm({ rates: rates({ input: 'two' }) }),
  ])
    assert.throws(() => parsePriceTerm(broken, ''));
});

test('A28: a price per million typed as a price per token is refused, unless one is sure', () => {
  const typed = priceTerm({ rates: { input: { amount: '2.5', per: 1 } } });
  assert.throws(
    () => parsePriceTerm(typed, ''),
    (error: unknown) =>
      error instanceof ApportionError &&
      error.code === 'invalid_field' &&
      /million/.test(`${error.message} ${error.hint}`),
  );
  assert.doesNotThrow(() => parsePriceTerm({ ...typed, sure: true }, ''));
});

test('A29: a price that an operator set prices the next call', () => {
  const before = makePrices(makePriceBook([]));
  const asked = { asked: 'house-model' };
  assert.equal(cost(chat(1_000, 100), before, asked).state, 'unpriced');
  // 1,000 × 2 + 100 × 8
  assert.equal(exactUsd(chat(1_000, 100), makePrices(makePriceBook([]), terms(priceTerm())), asked), '0.0028');
});

test('A30: a price of zero is a price, no price is none', () => {
  const free = pricesOf({ input: '0', output_text: '0' });
  assert.equal(exactUsd(chat(1_000, 100), free), '0');
  const { state, cost: none } = cost(chat(1_000, 100), pricesOf({}));
  assert.deepEqual([state, none], ['unpriced', null]);
});

test('A31: a batch is half the price, cache writes and reasoning included', () => {
  const half = { service_tiers: { batch: { factor: '0.5' } } };
  const claude = answered(anthropicMessages, {
    id: 'msg',
    model: 'm',
    content: [],
    usage: {
      input_tokens: 1_000,
      cache_creation_input_tokens: 4_000,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 4_000 },
      output_tokens: 500,
      service_tier: 'batch',
    },
  });
  const prices = pricesOf({ input: '5', cache_write_1h: '10', output_text: '25', output_reasoning: '25' }, half);
  // Half of 1,000 × 5 + 4,000 × 10 + 500 × 25
  assert.equal(exactUsd(claude, prices), '0.02875');
  assert.equal(exactUsd(used({ input: 1_000, output_text: 100, output_reasoning: 400 }, 'batch'), prices), '0.00875');
});

test('A35: whatever the price book prices above zero costs something', async () => {
  const book = await loadPriceBook();
  const prices = makePrices(book);
  let checked = 0;
  for (const provider of new Set(book.rows.map((row) => row.provider))) {
    for (const model of prices.models(provider)) {
      const match = book.find({ provider, model, at: NOW });
      for (const [meter, rate] of Object.entries(match?.rows[0]?.rates ?? {})) {
        if (/^[0.]+$/.test(rate.amount)) continue;
        const rated = prices.price(
          used({ [meter]: 1_000_000 }),
          attempt({ provider, account: provider, asked: model }),
        );
        assert.ok(rated.cost !== null && rated.cost > 0n, `${provider}/${model} ${meter}`);
        checked += 1;
      }
    }
  }
  assert.ok(checked > 1_000, `${checked} prices`);
});

const LINE = 1_112_000_000n as PicoUsd;

test('A45: money is whole pico-dollars: no digit is lost or made up, in any order and any grouping', () => {
  assert.equal(formatUsd(LINE), '0.001112');
  assert.equal(parseUsd('0.0011120000000000001'), undefined);
  assert.equal(formatUsd(sumUsd(Array.from({ length: 1_000_000 }, () => LINE))), '1112');
  const prices = pricesOf(
    {},
    {
      rates: { input: { amount: '0.1', per: 3_000_000 }, output_text: { amount: '7', per: 900_000 } },
    },
  );
  const call = fc.record({
    input: fc.nat({ max: 90_000 }),
    output_text: fc.nat({ max: 9_000 }),
    tag: fc.constantFrom('a', 'b', ''),
  });
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (calls) => {
      const rows = calls.map(({ tag, ...meters }) => ({ tag, ...prices.price(used(meters), attempt()) }));
      const total = sumUsd(rows.map((row) => row.cost ?? 0n).map((amount) => amount as PicoUsd));
      const lines = sumUsd(rows.flatMap(({ charges }) => charges.map(({ amount }) => amount)));
      const groups = Map.groupBy(rows, ({ tag }) => tag);
      const parts = sumUsd([...groups.values()].map((own) => sumUsd(own.map((row) => row.cost as PicoUsd))));
      assert.deepEqual([lines, parts], [total, total]);
      assert.equal(parseUsd(formatUsd(total)), total);
    }),
  );
});
