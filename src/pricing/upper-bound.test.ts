import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Meters } from '#terms';
import { makeRow, matchRows } from './row-fixture.ts';
import { rate } from './rate.ts';
import { upperBound } from './upper-bound.ts';

const tiered = matchRows([
  makeRow({
    rates: {
      input: { amount: '1/3', per: 1_000_000 },
      cache_read: { amount: '0.0000007', per: 3 },
      cache_write: { amount: '0.41666', per: 1_000_000 },
      output_text: { amount: '8', per: 1_000_000 },
      output_reasoning: { amount: '8', per: 999_999 },
    },
    tiers: [{ threshold: 1000, op: 'gt', rates: { input: { amount: '4', per: 1_000_000 } } }],
    serviceTiers: {
      flex: { factor: '0.5' },
      priority: { rates: { input: { amount: '9', per: 1_000_000 }, output_text: { amount: '20', per: 1_000_000 } } },
    },
  }),
]);

test('P14 no usage within the bound costs more than the bound', () => {
  const share = fc.nat({ max: 1_000_000 });
  const bounds = fc.record({
    inputTokens: fc.nat({ max: 3000 }),
    outputTokens: fc.nat({ max: 3000 }),
    n: fc.integer({ min: 1, max: 4 }),
  });
  const split = fc.record({ cached: share, written: share, thought: share });
  fc.assert(
    fc.property(
      bounds,
      split,
      fc.constantFrom('', 'flex', 'priority'),
      (bound, { cached, written, thought }, serviceTier) => {
        const output = bound.outputTokens * bound.n;
        const read = Math.floor((bound.inputTokens * cached) / 2_000_000);
        const write = Math.floor((bound.inputTokens * written) / 2_000_000);
        const reasoning = Math.floor((output * thought) / 1_000_000);
        const meters: Meters = {
          input: bound.inputTokens - read - write,
          cache_read: read,
          cache_write: write,
          output_text: output - reasoning,
          output_reasoning: reasoning,
        };
        const { cost } = rate({ meters, origin: 'reported', serviceTier, raw: '' }, tiered);
        const most = upperBound(tiered, bound);
        assert.ok(most !== null && (cost === null || cost <= most), `${cost} > ${most}`);
      },
    ),
  );
});

test('P14 the bound is the dearest price of each side, and exact where nothing needs rounding', () => {
  const flat = matchRows([makeRow({ serviceTiers: { priority: { factor: '2.5' } } })]);
  assert.equal(upperBound(flat, { inputTokens: 10, outputTokens: 3, n: 2 }), 10n * 5_000_000n + 6n * 20_000_000n);
});

test('P14 what is certainly served in one tier is bounded by that tier alone', () => {
  const sold = matchRows([makeRow({ serviceTiers: { batch: { factor: '0.5' }, priority: { factor: '2.5' } } })]);
  const bound = { inputTokens: 10, outputTokens: 3, n: 2 };
  assert.equal(upperBound(sold, { ...bound, serviceTier: 'batch' }), 10n * 1_000_000n + 6n * 4_000_000n);
  assert.equal(upperBound(matchRows([makeRow()]), { ...bound, serviceTier: 'batch' }), null);
});

test('P14 a tier that the input cannot reach does not raise the bound', () => {
  const far = matchRows([
    makeRow({ tiers: [{ threshold: 1000, op: 'gte', rates: { input: { amount: '4', per: 1_000_000 } } }] }),
  ]);
  assert.equal(upperBound(far, { inputTokens: 999, outputTokens: 0, n: 1 }), 999n * 2_000_000n);
  assert.equal(upperBound(far, { inputTokens: 1000, outputTokens: 0, n: 1 }), 1000n * 4_000_000n);
});

test('P14 without a limit in the request the limit of the model holds, then its context', () => {
  const both = matchRows([makeRow({ contextWindow: 100, maxOutputTokens: 10 })]);
  const context = matchRows([makeRow({ contextWindow: 100 })]);
  const bound = { inputTokens: 0, outputTokens: null, n: 1 };
  assert.equal(upperBound(both, bound), 10n * 8_000_000n);
  assert.equal(upperBound(context, bound), 100n * 8_000_000n);
  assert.equal(upperBound(matchRows([makeRow()]), bound), null);
});

test('P14 what has no price or no sound count has no bound', () => {
  const inputOnly = matchRows([makeRow({ rates: { input: { amount: '1', per: 1 } } })]);
  assert.equal(upperBound(undefined, { inputTokens: 1, outputTokens: 1, n: 1 }), null);
  assert.equal(upperBound(inputOnly, { inputTokens: 1, outputTokens: 1, n: 1 }), null);
  assert.equal(upperBound(inputOnly, { inputTokens: 2, outputTokens: 0, n: 1 }), 2_000_000_000_000n);
  for (const count of [-1, Number.NaN, 1.5, 2 ** 53])
    assert.equal(upperBound(tiered, { inputTokens: count, outputTokens: 1, n: 1 }), null);
});

test('P14 lines that each round up stay within the bound', () => {
  const price = { amount: '1.5', per: 1_000_000_000_000 };
  const match = matchRows([makeRow({ rates: { input: price, cache_read: price } })]);
  const rated = rate({ meters: { input: 1, cache_read: 1 }, origin: 'reported', raw: '' }, match);
  assert.equal(rated.cost, 4n);
  const most = upperBound(match, { inputTokens: 2, outputTokens: 0, n: 1 });
  assert.ok(most !== null && most >= 4n);
});
