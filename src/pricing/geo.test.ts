import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Meters, Usage } from '#terms';
import type { PriceRow } from './price-row.ts';
import { makeRow, matchRows } from './row-fixture.ts';
import { rate } from './rate.ts';

const million = 1_000_000;

function price(changes: Partial<PriceRow>, usage: Partial<Usage>, region = '') {
  return rate({ meters: { input: 10 }, origin: 'reported', raw: '', ...usage }, matchRows([makeRow(changes)]), region);
}

const us = { geo: { us: { factor: '1.1' } } } as const;

test('P20 a factor multiplies token prices where the answer says it was processed, and leaves fees alone', () => {
  const meters: Meters = { input: 10, web_search: 1 };
  const rated = price(us, { meters, geo: 'us' });
  assert.equal(rated.cost, 10_022_000_000n);
  assert.deepEqual(rated.charges[0]?.unitPrice, { amount: '2.2', per: million });
  assert.equal(rated.charges[0]?.priceRow, 'row+row');
});

test('P20 the names for nowhere in particular are the base price', () => {
  for (const geo of ['', 'global', 'GLOBAL', 'not_available', 'default'])
    assert.equal(price(us, { geo }).cost, 20_000_000n, geo);
  assert.equal(price(us, {}).cost, 20_000_000n);
});

test('P20 the region of the deployment holds where the answer says nothing', () => {
  assert.equal(price(us, {}, 'us').cost, 22_000_000n);
  assert.equal(price(us, { geo: 'global' }, 'us').cost, 20_000_000n);
});

test('P20 a place without a price is unpriced, unless no row of the model tells places apart', () => {
  const elsewhere = price(us, { geo: 'eu' });
  assert.deepEqual([elsewhere.state, elsewhere.cost, elsewhere.reason], ['unpriced', null, 'geo_without_price']);
  assert.equal(price({}, { geo: 'eu' }, 'mars').cost, 20_000_000n);
});

test('P20 a factor multiplies what context tier and service tier made of the price', () => {
  const changes: Partial<PriceRow> = {
    ...us,
    tiers: [{ threshold: 100, op: 'gt', rates: { input: { amount: '4', per: million } } }],
    serviceTiers: { flex: { factor: '0.5' } },
  };
  const rated = price(changes, { meters: { input: 101 }, geo: 'us', serviceTier: 'flex' });
  assert.deepEqual(rated.charges[0]?.unitPrice, { amount: '2.2', per: million });
});

test('P20 the own list of a region replaces token prices, and says nothing of sizes and tiers it does not price', () => {
  const changes: Partial<PriceRow> = {
    geo: { eu: { rates: { input: { amount: '3', per: million } } } },
    tiers: [{ threshold: 100, op: 'gt', rates: { input: { amount: '4', per: million } } }],
    serviceTiers: { flex: { factor: '0.5' }, priority: { rates: { input: { amount: '9', per: million } } } },
  };
  assert.equal(price(changes, { geo: 'eu' }).cost, 30_000_000n);
  assert.equal(price(changes, { geo: 'eu', serviceTier: 'flex' }).cost, 15_000_000n);
  assert.equal(price(changes, { geo: 'eu', serviceTier: 'priority' }).reason, 'service_tier_without_price');
  assert.equal(price(changes, { geo: 'eu', meters: { input: 101 } }).reason, 'geo_without_price');
  assert.deepEqual(price(changes, { geo: 'eu', meters: { input: 1, output_text: 1 } }).unpricedMeters, ['output_text']);
  assert.equal(price(changes, { serviceTier: 'priority' }).cost, 90_000_000n);
});

test('P21 a fee has a minimum quantity, and the line states what is billed', () => {
  const whisper = { rates: { audio_seconds: { amount: '0.04', per: 3_600, minimum: 10 } } } as const;
  const short = price(whisper, { meters: { audio_seconds: 2.5 } });
  assert.equal(short.cost, 111_111_111n);
  assert.equal(short.charges[0]?.quantity, 10);
  assert.equal(price(whisper, { meters: { audio_seconds: 36 } }).cost, 400_000_000n);
  assert.equal(price(whisper, { meters: { audio_seconds: 0 } }).cost, 0n);
});

test('P21 a search is billed per query or per prompt, by what the row prices', () => {
  const fee = { amount: '35', per: 1_000 };
  assert.equal(price({ rates: { grounded_prompt: fee } }, { meters: { grounded_prompt: 1 } }).cost, 35_000_000_000n);
  assert.deepEqual(price({ rates: { grounded_prompt: fee } }, { meters: { web_search: 3 } }).unpricedMeters, [
    'web_search',
  ]);
});

test('P21 a price per request is charged once for each answer, even if the answer counts nothing', () => {
  const perRequest = { rates: { input: { amount: '1', per: million }, request: { amount: '0.01', per: 1 } } };
  assert.equal(price(perRequest, {}).cost, 10_010_000_000n);
  assert.equal(price(perRequest, { meters: {} }).cost, 10_000_000_000n);
  assert.equal(price(perRequest, { meters: { request: 2 } }).cost, 20_000_000_000n);
  const free = price({ rates: { request: { amount: '0', per: 1 } } }, { meters: { request: 1 } });
  assert.deepEqual([free.state, free.cost], ['exact', 0n]);
});

test('P22 a meter takes the price a row names for it, in every tier, and never another', () => {
  const changes: Partial<PriceRow> = {
    inherit: { input_image: 'input', input_audio: 'cache_read_audio' },
    serviceTiers: { priority: { rates: { input: { amount: '5', per: million } } } },
  };
  assert.equal(price(changes, { meters: { input_image: 10 } }).cost, 20_000_000n);
  assert.equal(price(changes, { meters: { input_image: 10 }, serviceTier: 'priority' }).cost, 50_000_000n);
  assert.deepEqual(price(changes, { meters: { input: 1, input_audio: 1, input_video: 1 } }).unpricedMeters, [
    'input_audio',
    'input_video',
  ]);
  const own = { rates: { input: { amount: '2', per: million }, input_image: { amount: '7', per: million } } };
  assert.equal(price({ ...changes, ...own }, { meters: { input_image: 1 } }).cost, 7_000_000n);
});
