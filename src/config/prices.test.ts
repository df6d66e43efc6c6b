import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import { ConfigError, describeConfig, loadConfig, readAtPlace, type Config } from './index.ts';

function load(file: string): Config {
  return loadConfig({ env: { APPORTION_CONFIG: 'apportion.json' }, readFile: () => file });
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
  return [];
}

const FILE = `{ "prices": [
  { "kind": "contract", "id": "c1", "discount": "0.1" },
  { "kind": "price", "rates": { "input": { "amount": "1", "per": 1000000 } } },
] }`;

test('prices are handed on as they stand, with their places', () => {
  const { prices } = load(FILE);
  assert.equal(prices.terms.length, 2);
  assert.equal(prices.places['prices[1].rates.input.amount'], 'apportion.json:3:54');
  assert.ok(!JSON.stringify(describeConfig(load(FILE))).includes('discount'));
});

test('prices that are no list, and keys that stand twice in them, are told', () => {
  assert.deepEqual(
    problemsOf(() => load('{ "prices": {} }')),
    ['apportion.json:1:13 "prices": this value does not fit. It must be a list of price rows, contracts and markups.'],
  );
  assert.deepEqual(
    problemsOf(() => load('{ "prices": [{ "id": "a", "id": "b" }] }')),
    ['apportion.json:1:27 "prices[0].id": this key stands here twice. Keep one of them.'],
  );
});

test('what #pricing finds wrong is told at its place, and what is missing at what should hold it', () => {
  const { prices } = load(FILE);
  const fail = (param: string) => () =>
    readAtPlace(prices, () => {
      throw new ApportionError('invalid_field', `${param}: this is no amount.`, { param, hint: 'Write "0.1".' });
    });
  assert.deepEqual(problemsOf(fail('prices[0].discount')), [
    'apportion.json:2:49 "prices[0].discount": this is no amount. Write "0.1".',
  ]);
  assert.deepEqual(problemsOf(fail('prices[1].rates.output_text.per')), [
    'apportion.json:3:31 "prices[1].rates": this is no amount. Write "0.1".',
  ]);
});
