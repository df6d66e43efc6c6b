import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { divideHalfEven, formatRatio, parseRatio, picoPerUnit } from './amount.ts';

test('a decimal, an exponent and a fraction are read exactly', () => {
  assert.deepEqual(parseRatio('0.15'), { num: 3n, den: 20n });
  assert.deepEqual(parseRatio('2.85e-05'), { num: 57n, den: 2_000_000n });
  assert.deepEqual(parseRatio('1/12'), { num: 1n, den: 12n });
  assert.deepEqual(parseRatio('0'), { num: 0n, den: 1n });
});

test('what is no amount is not read', () => {
  for (const text of ['', '-1', '1,5', 'NaN', 'Infinity', '0x10', '1/0', '.5', '1e999', ' 1', '1'.repeat(31)])
    assert.equal(parseRatio(text), undefined, text);
});

test('formatting an amount and reading it gives the amount back', () => {
  const part = fc.bigInt({ min: 0n, max: 10n ** 14n });
  fc.assert(
    fc.property(part, fc.bigInt({ min: 1n, max: 10n ** 14n }), (num, den) => {
      const read = parseRatio(`${num}/${den}`);
      assert.ok(read !== undefined);
      const again = parseRatio(formatRatio(read));
      assert.ok(again !== undefined && again.num * den === num * again.den);
    }),
  );
  assert.equal(formatRatio({ num: 1n, den: 800n }), '0.00125');
  assert.equal(formatRatio({ num: 1n, den: 12n }), '1/12');
  assert.equal(formatRatio({ num: 7n, den: 1n }), '7');
});

test('P1 half a pico-dollar goes to the even neighbour', () => {
  const halves = [0n, 1n, 2n, 3n, 5n].map((num) => divideHalfEven(num, 2n));
  assert.deepEqual(halves, [0n, 0n, 1n, 2n, 2n]);
  assert.equal(divideHalfEven(7n, 4n), 2n);
  assert.equal(divideHalfEven(5n, 4n), 1n);
});

test('a price for an hour is a price for its seconds, though no decimal holds it', () => {
  assert.deepEqual(picoPerUnit({ amount: '0.04', per: 3600 }), { num: 100_000_000n, den: 9n });
  assert.equal(picoPerUnit({ amount: '1', per: 0 }), undefined);
});
