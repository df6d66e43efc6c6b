import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Strategy } from '#config';
import { picoUsd } from '#terms';
import { inOrder, type Rated } from './order.ts';

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const rated = fc
  .record({
    weight: fc.integer({ min: 1, max: 9 }),
    expected: fc.option(fc.bigInt({ min: 0n, max: 3n })),
    running: fc.nat({ max: 2 }),
    firstByteMs: fc.option(fc.nat({ max: 300 })),
    draw: unit,
  })
  .map(({ weight, expected, running, firstByteMs, draw }): Rated => {
    const price = expected === null ? null : picoUsd(expected);
    return { weight, expected: () => price, running: () => running, firstByteMs: () => firstByteMs, draw: () => draw };
  });

const strategy = fc.constantFrom<Strategy>('weighted', 'ordered', 'cheapest', 'fastest', 'least_busy');

test('the same draws and figures make the same order, which has each deployment once', () => {
  fc.assert(
    fc.property(strategy, fc.array(rated, { maxLength: 8 }), (given, deployments) => {
      const order = inOrder(given, deployments);
      assert.deepEqual(inOrder(given, deployments), order);
      assert.deepEqual(new Set(order), new Set(deployments));
      assert.equal(order.length, deployments.length);
    }),
  );
});

test('cheapest and least_busy never put a dearer or busier one before another', () => {
  fc.assert(
    fc.property(fc.array(rated, { maxLength: 8 }), (deployments) => {
      const prices = inOrder('cheapest', deployments).map(({ expected }) => expected() ?? picoUsd(1_000n));
      assert.deepEqual(
        prices,
        prices.toSorted((left, right) => Number(left - right)),
      );
      const busy = inOrder('least_busy', deployments).map(({ running }) => running());
      assert.deepEqual(
        busy,
        busy.toSorted((left, right) => left - right),
      );
    }),
  );
});

test('fastest measures who is unknown with one call, and sends no other there meanwhile', () => {
  const named = (firstByteMs: number | null, running: number): Rated => ({
    weight: 1,
    expected: () => null,
    running: () => running,
    firstByteMs: () => firstByteMs,
    draw: () => 0,
  });
  const [quick, slow, unknown, measured] = [named(10, 5), named(90, 0), named(null, 0), named(null, 1)];
  assert.deepEqual(inOrder('fastest', [slow, measured, quick, unknown]), [unknown, quick, slow, measured]);
});
