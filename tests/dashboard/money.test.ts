import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatUsd, picoUsd } from '#terms';
import { costPerThousand, formatExactMoney, formatMoney, shareOf } from '../../dashboard/src/money/money.ts';
import { formatAxisMoney, formatLatency, formatShare } from '../../dashboard/src/money/quantity.ts';

const amounts = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(picoUsd);

test('money is shown with the digits that say something', () => {
  const shown = [
    '54.2',
    '0',
    '0.0000215',
    '0.0123',
    '0.42',
    '1234567.891',
    '0.000000000001',
    '-0.5',
    '0.996',
    '0.99999',
    '0.00999999',
    '0.00002985',
  ];
  assert.deepEqual(shown.map(formatMoney), [
    '$54.20',
    '$0.00',
    '$0.0000215',
    '$0.0123',
    '$0.42',
    '$1,234,567.89',
    '$0.000000000001',
    '-$0.50',
    '$0.996',
    '$1.00',
    '$0.01',
    '$0.00002985',
  ]);
});

test('an amount that is not zero never reads as zero, and is within half a percent or half a cent of the truth', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      const shown = Number(formatMoney(formatUsd(amount)).replaceAll(/[$,]/g, ''));
      const truth = Number(amount) / 1e12;
      if (amount !== 0n) assert.notEqual(shown, 0);
      assert.ok(Math.abs(shown - truth) <= Math.max(Math.abs(truth) * 0.005, 0) + (Math.abs(truth) >= 1 ? 0.00501 : 0));
    }),
  );
});

test('the exact form keeps every digit and puts the sign before the dollar', () => {
  assert.deepEqual(['0.0000215', '-0.5'].map(formatExactMoney), ['$0.0000215', '-$0.5']);
});

test('the cost of a thousand requests is rounded half-even to a pico-dollar', () => {
  assert.equal(costPerThousand('54.2', 128), '423.4375');
  assert.equal(costPerThousand('0.000000000001', 3), '0.000000000333');
  assert.equal(costPerThousand('1', 0), undefined);
});

test('a share of nothing is zero, and parts never read as none or all', () => {
  assert.equal(shareOf('0', '0'), 0);
  assert.deepEqual([0, 0.0004, 0.052, 0.39, 0.9995, 1].map(formatShare), [
    '0%',
    '<0.1%',
    '5.2%',
    '39%',
    '>99.9%',
    '100%',
  ]);
});

test('axis labels have the decimals their step needs', () => {
  assert.deepEqual(
    [formatAxisMoney(5, 5), formatAxisMoney(0.4, 0.2), formatAxisMoney(0.00002, 0.000005), formatAxisMoney(0, 1)],
    ['$5', '$0.40', '$0.000020', '$0'],
  );
});

test('latency is said in the unit a person would use', () => {
  assert.deepEqual([840, 2412, 61_500].map(formatLatency), ['840 ms', '2.41 s', '1 min 2 s']);
});
