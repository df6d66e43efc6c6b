import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import { combineTerms, parsePriceTerm } from './parse-price-term.ts';
import { instant } from './row-fixture.ts';

const million = 1_000_000;
const ROW = { id: 'a', provider: 'ollama', model: 'Llama3.2', rates: { input: { amount: '0', per: million } } };
const CONTRACT = { kind: 'contract', id: 'c', provider: 'openai' };
const MARKUP = { kind: 'markup', id: 'm', markup: '0.035' };

function refusal(json: unknown, place?: string): ApportionError {
  try {
    parsePriceTerm(json, place);
  } catch (error) {
    if (error instanceof ApportionError) return error;
    throw error;
  }
  assert.fail(`${JSON.stringify(json)} was taken`);
}

test('P30 a price row is written as in the price files, and holds for ever if it says nothing else', () => {
  const { rows, contracts, markups } = parsePriceTerm(ROW);
  assert.deepEqual([contracts, markups], [[], []]);
  assert.deepEqual(rows, [
    {
      id: 'a',
      layer: 'operator',
      provider: 'ollama',
      model: 'llama3.2',
      match: [{ kind: 'id', id: 'llama3.2' }],
      effectiveFrom: null,
      effectiveTo: null,
      rates: ROW.rates,
      source: 'operator',
      checked: null,
    },
  ]);
  assert.deepEqual(parsePriceTerm({ ...ROW, kind: 'price', model: '*' }).rows[0]?.match, []);
});

test('P30 a contract is a discount or rates, within a scope and for a time', () => {
  const json = {
    ...CONTRACT,
    discount: '0.125',
    model: 'GPT-4o',
    service_tier: 'Default',
    region: 'EU',
    effective_from: '2026-07-01',
  };
  assert.deepEqual(parsePriceTerm(json).contracts, [
    {
      id: 'c',
      provider: 'openai',
      model: 'gpt-4o',
      serviceTier: '',
      region: 'eu',
      effectiveFrom: instant('2026-07-01'),
      effectiveTo: null,
      discount: '0.125',
    },
  ]);
  const rates = { input: { amount: '1', per: million } };
  const [own] = parsePriceTerm({ ...CONTRACT, rates }).contracts;
  assert.deepEqual(own && 'rates' in own && own.rates, rates);
  assert.equal(own?.serviceTier, null);
});

test('P30 a markup is for whoever it names, and for all if it names nobody', () => {
  const anyone = {
    provider: null,
    model: null,
    team: null,
    key: null,
    tag: null,
    effectiveFrom: null,
    effectiveTo: null,
  };
  assert.deepEqual(parsePriceTerm(MARKUP).markups, [{ id: 'm', ...anyone, markup: '0.035' }]);
  const tag = { key: 'customer', value: 'acme' };
  assert.deepEqual(parsePriceTerm({ ...MARKUP, tag }).markups[0]?.tag, tag);
});

test('P30 what cannot be read is refused, the field named by its place', () => {
  const refusals: readonly (readonly [unknown, string])[] = [
    [null, ''],
    [{ ...ROW, kind: 'wish' }, 'kind'],
    [{ ...ROW, id: '' }, 'id'],
    [{ ...ROW, rates: { input: { amount: 0.15, per: million } } }, 'rates.input.amount'],
    [{ ...ROW, rates: {} }, 'rates'],
    [{ ...ROW, tiers: [{ threshold: 1, op: 'gt', rates: { input_audio: { amount: '1', per: 1e6 } } }] }, 'tiers'],
    [{ ...ROW, rates: { input: { amount: '1', per: million, minimum: 3 } } }, 'rates'],
    [{ ...ROW, colour: 'red' }, ''],
    [{ ...CONTRACT }, 'discount'],
    [{ ...CONTRACT, discount: '0.1', rates: ROW.rates }, 'discount'],
    [{ ...CONTRACT, discount: '1.1' }, 'discount'],
    [{ ...CONTRACT, discount: '12,5' }, 'discount'],
    [{ ...CONTRACT, rates: {} }, 'rates'],
    [{ ...MARKUP, markup: '-0.1' }, 'markup'],
    [{ ...MARKUP, effective_from: 'soon' }, 'effective_from'],
  ];
  for (const [json, param] of refusals) {
    const error = refusal(json);
    assert.deepEqual([error.code, error.param], ['invalid_field', param], JSON.stringify(json));
  }
  const placed = refusal({ ...MARKUP, markup: 1 }, 'prices[2]');
  assert.equal(placed.param, 'prices[2].markup');
  assert.match(placed.message, /^prices\[2\]\.markup: write the share as a string/);
});

test('P30 a price per million typed as a price per token is refused, unless it is meant', () => {
  const typo = { ...ROW, rates: { input: { amount: '2.5', per: 1 } } };
  const error = refusal(typo, 'prices[0]');
  assert.equal(error.param, 'prices[0].rates.input');
  assert.match(`${error.message} ${error.hint}`, /\$2\.5 for 1 tokens .* per million\? .*"sure": true/);
  assert.equal(parsePriceTerm({ ...typo, sure: true }).rows.length, 1);
  const hidden = { ...ROW, service_tiers: { priority: { rates: { output_text: { amount: '11', per: 1000 } } } } };
  assert.equal(refusal(hidden).param, 'rates.output_text');
  assert.equal(refusal({ ...CONTRACT, rates: typo.rates }).param, 'rates.input');
  const dearest = { amount: '10000', per: million };
  assert.equal(parsePriceTerm({ ...ROW, rates: { input: dearest, image: { amount: '5', per: 1 } } }).rows.length, 1);
});

test('P28 terms keep their order, which decides which one holds', () => {
  const combined = combineTerms([parsePriceTerm(MARKUP), parsePriceTerm(ROW), parsePriceTerm({ ...MARKUP, id: 'n' })]);
  assert.deepEqual(
    [combined.rows.map(({ id }) => id), combined.contracts, combined.markups.map(({ id }) => id)],
    [['a'], [], ['m', 'n']],
  );
});
