import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelInfo } from '@pydantic/genai-prices';
import type { Meter } from '#terms';
import { findTwins } from './history.ts';
import { loadPriceBook, loadSeed } from './load.ts';
import { makePriceBook } from './price-book.ts';
import { rate } from './rate.ts';
import { instant } from './row-fixture.ts';
import { convertSeed } from './seed.ts';

const book = await loadPriceBook();
const seed = await loadSeed();

function convert(prices: ModelInfo['prices'], match: ModelInfo['match'] = { equals: 'm' }) {
  const models: ModelInfo[] = [{ id: 'M', match, prices, context_window: 1000 }];
  return convertSeed([{ id: 'p', name: 'P', api_pattern: '', models }], 'genai-prices@0');
}

function amounts(provider: string, model: string, at: string): Record<string, string> {
  const match = book.find({ provider, model, at: instant(at) });
  return Object.fromEntries(
    Array.from(match?.bands[0]?.base ?? [], ([meter, price]) => [meter, price.unitPrice.amount]),
  );
}

test('P15 a price is the shortest decimal of its number, and dust is left out by name', () => {
  const { rows, rejected } = convert({
    input_mtok: 0.18000000000000002,
    output_mtok: 0.003625,
    cache_write_mtok: 0.08333333333333334,
  });
  assert.deepEqual(rows[0]?.rates, {
    output_text: { amount: '0.003625', per: 1_000_000 },
    output_reasoning: { amount: '0.003625', per: 1_000_000 },
    cache_write: { amount: '1/12', per: 1_000_000 },
    cache_write_5m: { amount: '1/12', per: 1_000_000 },
  });
  assert.deepEqual(rejected, ['genai-prices@0/p/M: input_mtok 0.18000000000000002']);
  for (const absurd of [-1, Number.NaN, Infinity]) assert.equal(convert({ input_mtok: absurd }).rows.length, 0);
});

test('P15 of the package in use only one known rate is left out', () => {
  const names = seed.rejected.map((text) => text.replace(/^genai-prices@[^/]*\//, ''));
  assert.deepEqual(names, ['huggingface_together/Qwen/Qwen3-VL-8B-Instruct: input_mtok 0.18000000000000002']);
  assert.ok(seed.rows.length > 1_500);
});

test('P16 units become meters; text prices do not hold for audio, and unknown units are not used', () => {
  const { rows } = convert({
    input_mtok: 2,
    output_mtok: 8,
    output_reasoning_mtok: 9,
    cache_write_1h_mtok: 4,
    audio_hours: 0.36,
    web_searches_kcount: 10,
    storage_searches_kcount: 2.5,
    input_text_messages_kcount: 4,
  });
  assert.deepEqual(rows[0]?.rates, {
    input: { amount: '2', per: 1_000_000 },
    output_text: { amount: '8', per: 1_000_000 },
    output_reasoning: { amount: '9', per: 1_000_000 },
    cache_write_1h: { amount: '4', per: 1_000_000 },
    audio_seconds: { amount: '0.36', per: 3_600 },
    web_search: { amount: '10', per: 1_000 },
    file_search: { amount: '2.5', per: 1_000 },
  } satisfies Partial<Record<Meter, unknown>>);
});

test('P16 a tier starts strictly above its number and holds for reasoning as for text', () => {
  const { rows } = convert({
    input_mtok: { base: 2, tiers: [{ start: 271_999, price: 4 }] },
    output_mtok: { base: 8, tiers: [{ start: 271_999, price: 12 }] },
  });
  assert.deepEqual(rows[0]?.tiers, [
    {
      threshold: 271_999,
      op: 'gt',
      rates: {
        input: { amount: '4', per: 1_000_000 },
        output_text: { amount: '12', per: 1_000_000 },
        output_reasoning: { amount: '12', per: 1_000_000 },
      },
    },
  ]);
  assert.equal(rows[0]?.contextWindow, 1000);
});

test('P8 no two rows of the seed begin at once', () => {
  assert.deepEqual(findTwins(seed.rows), []);
});

test('P8 a seed whose first price is dated has none before that date', () => {
  const { rows } = convert([
    { constraint: { type: 'start_date', start_date: '2026-01-02' }, prices: { input_mtok: 1 } },
  ]);
  const own = makePriceBook(rows);
  assert.equal(own.find({ provider: 'p', model: 'm', at: instant('2026-01-01T23:59:59Z') }), undefined);
  assert.equal(
    own.find({ provider: 'p', model: 'm', at: instant('2026-01-02T00:00:00Z') })?.rows[0]?.id,
    'genai-prices@0/p/M/2026-01-02',
  );
});

test('P9 the time-of-day prices of the seed do not leak before their date', () => {
  const input = (at: string): string | undefined => amounts('deepseek', 'deepseek-v4-flash', at)['input'];
  assert.equal(input('2026-07-01T02:00:00Z'), '0.14');
  assert.equal(input('2026-09-01T02:00:00Z'), '0.44');
  assert.equal(input('2026-09-01T05:00:00Z'), '0.22');
  assert.equal(input('2026-09-01T06:00:00Z'), '0.44');
});

test('P13 only what the seed knows for certain is a name', () => {
  const model = (name: string) => book.find({ provider: 'openai', model: name, at: instant('2026-11-21') })?.model;
  assert.equal(model('gpt-4o-2024-05-13'), 'gpt-4o-2024-05-13');
  assert.equal(model('gpt-5.6-sol-2026-08-21'), 'gpt-5.6-sol');
  assert.equal(model('ft:gpt-4o-mini-2024-07-18:acme::x'), 'ft:gpt-4o-mini');
  assert.equal(model('gpt-4o-realtime-mini'), undefined);
  const claude = (name: string) => book.find({ provider: 'anthropic', model: name, at: instant('2026-11-21') })?.model;
  assert.equal(claude('claude-sonnet-4-5-20250929'), 'claude-sonnet-4-5');
  assert.equal(claude('claude-sonnet-5-5'), undefined);
});

test('the loaded book has the list prices of the models most used', () => {
  const now = '2026-11-21T12:00:00Z';
  const fees = { web_search: '10', file_search: '2.5' };
  assert.deepEqual(amounts('openai', 'gpt-4o', now), {
    input: '2.5',
    cache_read: '1.25',
    output_text: '10',
    output_reasoning: '10',
    ...fees,
  });
  assert.deepEqual(amounts('openai', 'gpt-4o-mini', now), {
    input: '0.15',
    cache_read: '0.075',
    output_text: '0.6',
    output_reasoning: '0.6',
    ...fees,
  });
  assert.deepEqual(amounts('openai', 'o3', now), {
    input: '2',
    cache_read: '0.5',
    output_text: '8',
    output_reasoning: '8',
    ...fees,
  });
  assert.deepEqual(amounts('openai', 'gpt-5-mini', now), {
    input: '0.25',
    cache_read: '0.025',
    output_text: '2',
    output_reasoning: '2',
    ...fees,
  });
  assert.equal(amounts('openai', 'o3', '2025-06-09T23:59:59Z')['input'], '10');
  assert.deepEqual(amounts('sandbox', 'sandbox-reasoner', now), {
    input: '2',
    cache_read: '0.5',
    output_text: '8',
    output_reasoning: '8',
  });
});

test('P12 the loaded book prices the service tiers of our own files on the seed', () => {
  const match = book.find({ provider: 'openai', model: 'gpt-5.5-2026-04-23', at: instant('2026-11-21') });
  const cost = (serviceTier: string) =>
    rate(
      { meters: { input: 3000, cache_read: 1000, output_text: 500 }, origin: 'reported', serviceTier, raw: '' },
      match,
    ).cost;
  assert.equal(cost('default'), 30_500_000_000n);
  assert.equal(cost('flex'), 15_250_000_000n);
  assert.equal(cost('priority'), 76_250_000_000n);
});
