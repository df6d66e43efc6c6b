import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromUnits, sumStatedUsd } from './stated-cost.ts';

test('an amount keeps the digits it was stated with, whatever its notation', () => {
  assert.equal(sumStatedUsd(0.0040584), '0.0040584');
  assert.equal(sumStatedUsd(2.85e-5), '0.0000285');
  assert.equal(sumStatedUsd(1.2e-7), '0.00000012');
  assert.equal(sumStatedUsd('0.0000285000'), '0.0000285');
  assert.equal(sumStatedUsd(12), '12');
  assert.equal(sumStatedUsd('1.5e2'), '150');
});

test('a stated zero is zero', () => {
  assert.equal(sumStatedUsd(0), '0');
  assert.equal(sumStatedUsd('0.000'), '0');
});

test('what is no amount leaves no cost, and half of a sum is none', () => {
  for (const wrong of [null, undefined, -0.1, Number.NaN, Infinity, '', '$1', '1,5', true, {}, '1e400'])
    assert.equal(sumStatedUsd(wrong), undefined);
  assert.equal(sumStatedUsd(0.1, null), undefined);
});

test('amounts are added exactly where floats would not', () => {
  assert.equal(sumStatedUsd(0.1, 0.2), '0.3');
});

test('ticks are whole units of a power of ten', () => {
  assert.equal(fromUnits(232_856_000, 10), '0.0232856');
  assert.equal(fromUnits(0, 10), '0');
  assert.equal(fromUnits(10_000_000_000, 10), '1');
  for (const wrong of [1.5, -1, '7', null, 2 ** 60]) assert.equal(fromUnits(wrong, 10), undefined);
});

test('a sum of whole picos is what integers give', () => {
  const pico = fc.integer({ min: 0, max: 1_000_000_000 });
  const usd = (value: number): string => fromUnits(value, 12) ?? '';
  fc.assert(
    fc.property(pico, pico, (left, right) => {
      assert.equal(sumStatedUsd(usd(left), usd(right)), usd(left + right));
    }),
  );
});
