import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { METERS, sumUsd, type Meter, type Meters, type Usage } from '#terms';
import { makeRow, matchRows } from './row-fixture.ts';
import { rate } from './rate.ts';

const match = matchRows([makeRow()]);

function usageOf(meters: Meters, rest: Partial<Usage> = {}): Usage {
  return { meters, origin: 'reported', raw: '', ...rest };
}

const tokens = fc.nat({ max: 1_000_000_000 });
const someTokens = fc.record({ input: tokens, cache_read: tokens, output_text: tokens, output_reasoning: tokens });

test('P1 a line is quantity times unit price, and the cost the sum of the lines', () => {
  assert.deepEqual(rate(usageOf({ input: 3, output_text: 2, web_search: 1 }), match), {
    state: 'exact',
    cost: 10_022_000_000n,
    listCost: 10_022_000_000n,
    billed: 10_022_000_000n,
    computedCost: 10_022_000_000n,
    terms: [],
    charges: [
      { meter: 'input', quantity: 3, unitPrice: { amount: '2', per: 1_000_000 }, amount: 6_000_000n, priceRow: 'row' },
      {
        meter: 'output_text',
        quantity: 2,
        unitPrice: { amount: '8', per: 1_000_000 },
        amount: 16_000_000n,
        priceRow: 'row',
      },
      {
        meter: 'web_search',
        quantity: 1,
        unitPrice: { amount: '10', per: 1000 },
        amount: 10_000_000_000n,
        priceRow: 'row',
      },
    ],
    unpricedMeters: [],
  });
});

test('P1 the cost is always the sum of its lines', () => {
  const dusty = matchRows([
    makeRow({ rates: { input: { amount: '1/12', per: 1_000_000 }, output_text: { amount: '0.33', per: 7 } } }),
  ]);
  fc.assert(
    fc.property(tokens, tokens, (input, output) => {
      const rated = rate(usageOf({ input, output_text: output }), dusty);
      assert.equal(rated.cost, sumUsd(rated.charges.map(({ amount }) => amount)));
    }),
  );
});

test('P1 two usages cost what their sum costs, up to a pico-dollar per line', () => {
  const thirds = matchRows([
    makeRow({
      rates: {
        input: { amount: '1/3', per: 1_000_000 },
        cache_read: { amount: '0.0000003', per: 7 },
        output_text: { amount: '8', per: 1_000_000 },
        output_reasoning: { amount: '0.123456789', per: 999 },
      },
    }),
  ]);
  fc.assert(
    fc.property(someTokens, someTokens, (left, right) => {
      const both = {
        input: left.input + right.input,
        cache_read: left.cache_read + right.cache_read,
        output_text: left.output_text + right.output_text,
        output_reasoning: left.output_reasoning + right.output_reasoning,
      };
      for (const [prices, slack] of [
        [match, 0n],
        [thirds, 4n],
      ] as const) {
        const [a, b, sum] = [left, right, both].map((meters) => rate(usageOf(meters), prices).cost);
        assert.ok(typeof a === 'bigint' && typeof b === 'bigint' && typeof sum === 'bigint');
        const difference = a + b - sum;
        assert.ok(difference <= slack && difference >= -slack, `${difference}`);
      }
    }),
  );
});

test('P1 seconds of audio may be fractions', () => {
  const hourly = matchRows([makeRow({ rates: { audio_seconds: { amount: '0.36', per: 3600 } } })]);
  assert.equal(rate(usageOf({ audio_seconds: 10.5 }), hourly).cost, 1_050_000_000n);
});

test('P2 a zero quantity makes no line and a zero price is exact', () => {
  const free = matchRows([makeRow({ rates: { input: { amount: '0', per: 1 } } })]);
  const rated = rate(usageOf({ input: 5, output_audio: 0 }), free);
  assert.equal(rated.state, 'exact');
  assert.equal(rated.cost, 0n);
  assert.deepEqual(
    rated.charges.map(({ meter }) => meter),
    ['input'],
  );
});

test('P3 a model without a price is unpriced and its meters are named', () => {
  assert.deepEqual(rate(usageOf({ input: 5, output_text: 0 }), undefined), {
    state: 'unpriced',
    cost: null,
    listCost: null,
    billed: null,
    computedCost: null,
    terms: [],
    charges: [],
    unpricedMeters: ['input'],
    reason: 'model_without_price',
  });
});

test('P4 a meter without a price leaves the cost incomplete, not at the price of text', () => {
  const rated = rate(usageOf({ input: 1, input_audio: 7, output_audio: 7 }), match);
  assert.equal(rated.state, 'incomplete');
  assert.equal(rated.cost, 2_000_000n);
  assert.deepEqual(rated.unpricedMeters, ['input_audio', 'output_audio']);
});

test('P4 usage of which nothing can be priced is unpriced, not zero', () => {
  const rated = rate(usageOf({ output_audio: 7 }), match);
  assert.deepEqual([rated.state, rated.cost, rated.reason], ['unpriced', null, 'meter_without_price']);
});

test('P4 every meter is either priced or named', () => {
  const quantities = fc.dictionary(fc.constantFrom(...METERS), fc.nat(), { maxKeys: METERS.length });
  fc.assert(
    fc.property(quantities, (meters: Partial<Record<Meter, number>>) => {
      const rated = rate(usageOf(meters), match);
      const named = [...rated.charges.map(({ meter }) => meter), ...rated.unpricedMeters];
      const used = METERS.filter((meter) => meters[meter] !== undefined && meters[meter] !== 0);
      assert.deepEqual(named.toSorted(), used.toSorted());
      assert.equal(rated.cost === null, rated.state === 'unpriced');
    }),
  );
});

test('P5 a quantity that is none never becomes money', () => {
  for (const quantity of [-1, Number.NaN, Infinity, -Infinity, 2 ** 53, 1.5, 5e-324]) {
    const rated = rate(usageOf({ input: 10, output_text: quantity }), match);
    assert.deepEqual([rated.state, rated.cost, rated.reason], ['unpriced', null, 'usage_inconsistent'], `${quantity}`);
  }
  assert.equal(rate(usageOf({ audio_seconds: -0.5 }), match).state, 'unpriced');
});

test('P5 usage that contradicts itself keeps its cost and carries the reason', () => {
  const rated = rate(usageOf({ input: 10 }, { inconsistent: true }), match);
  assert.deepEqual([rated.state, rated.cost, rated.reason], ['exact', 20_000_000n, 'usage_inconsistent']);
});

test('P5 usage of which nothing sound is left is unpriced, not zero', () => {
  const rated = rate(usageOf({}, { inconsistent: true }), match);
  assert.deepEqual([rated.state, rated.cost, rated.reason], ['unpriced', null, 'usage_inconsistent']);
});

test('P6 estimated usage gives an estimated cost, unless a meter has no price', () => {
  assert.equal(rate(usageOf({ input: 10 }, { origin: 'estimated' }), match).state, 'estimated');
  assert.equal(rate(usageOf({ input: 10, output_audio: 1 }, { origin: 'estimated' }), match).state, 'incomplete');
});

test('P7 a reported cost wins and the computed lines stay', () => {
  const rated = rate(usageOf({ input: 10 }, { reportedCost: '2.85e-05' }), match);
  assert.deepEqual([rated.state, rated.cost], ['reported', 28_500_000n]);
  assert.deepEqual(
    rated.charges.map(({ amount }) => amount),
    [20_000_000n],
  );
  assert.equal(rate(usageOf({ input: 10 }, { reportedCost: '0.0000000000005' }), undefined).cost, 0n);
  assert.equal(rate(usageOf({ input: 10 }, { reportedCost: '0.0000000000015' }), undefined).cost, 2n);
});

test('P7 a reported cost that is no amount of money is ignored, and the reason says so', () => {
  for (const reportedCost of ['-1', 'NaN', '', '1e30']) {
    const rated = rate(usageOf({ input: 10 }, { reportedCost }), match);
    assert.deepEqual([rated.state, rated.cost, rated.reason], ['exact', 20_000_000n, 'reported_cost_invalid']);
  }
  assert.equal(rate(usageOf({ input: 1 }, { reportedCost: 'x' }), undefined).reason, 'model_without_price');
});

test('P10 a context tier prices the whole request by all its input tokens, cached ones included', () => {
  const tier = { input: { amount: '4', per: 1_000_000 }, output_text: { amount: '12', per: 1_000_000 } };
  for (const [op, last] of [
    ['gt', 200],
    ['gte', 199],
  ] as const) {
    const tiered = matchRows([makeRow({ tiers: [{ threshold: 200, op, rates: tier }] })]);
    const cost = (input: number): unknown =>
      rate(usageOf({ input, cache_read: 150, output_text: 1, web_search: 1 }), tiered).cost;
    const fees = 150n * 500_000n + 10_000_000_000n;
    assert.equal(cost(last - 150), fees + BigInt(last - 150) * 2_000_000n + 8_000_000n);
    assert.equal(cost(last - 149), fees + BigInt(last - 149) * 4_000_000n + 12_000_000n);
  }
});

test('P10 of several tiers the highest that is passed holds, in whatever order they stand', () => {
  const tier = (threshold: number, amount: string) =>
    ({ threshold, op: 'gt', rates: { input: { amount, per: 1_000_000 } } }) as const;
  const tiered = matchRows([makeRow({ tiers: [tier(300, '6'), tier(100, '4')] })]);
  const perToken = [100, 101, 300, 301].map((input) => rate(usageOf({ input }), tiered).charges[0]?.unitPrice.amount);
  assert.deepEqual(perToken, ['2', '4', '4', '6']);
});

test('P11 the served tier decides: base names, a factor on tokens only, rates in place of all token prices', () => {
  const tiered = matchRows([
    makeRow({
      serviceTiers: {
        flex: { factor: '0.5' },
        priority: { rates: { input: { amount: '5', per: 1_000_000 } }, maxInputTokens: 100 },
      },
    }),
  ]);
  const served = (serviceTier: string, meters: Meters = { input: 10, web_search: 1 }) =>
    rate(usageOf(meters, { serviceTier }), tiered);
  for (const name of ['', 'default', 'auto', 'standard', 'on_demand', 'DEFAULT'])
    assert.equal(served(name).cost, 10_020_000_000n, name);
  assert.equal(served('flex').cost, 10_010_000_000n);
  assert.deepEqual(served('flex').charges[0]?.unitPrice, { amount: '1', per: 1_000_000 });
  assert.equal(served('priority').cost, 10_050_000_000n);
  assert.deepEqual(served('priority', { input: 1, output_text: 1 }).unpricedMeters, ['output_text']);
  for (const missing of [served('scale'), served('priority', { input: 101 })])
    assert.deepEqual([missing.state, missing.cost, missing.reason], ['unpriced', null, 'service_tier_without_price']);
});

test('P11 a factor multiplies the prices of the context tier', () => {
  const tiered = matchRows([
    makeRow({
      tiers: [{ threshold: 100, op: 'gt', rates: { input: { amount: '4', per: 1_000_000 } } }],
      serviceTiers: { flex: { factor: '0.5' } },
    }),
  ]);
  assert.equal(rate(usageOf({ input: 101 }, { serviceTier: 'flex' }), tiered).cost, 202_000_000n);
});
