import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUsd, type Usage } from '#terms';
import { loadPriceBook } from './load.ts';
import { makePriceBook } from './price-book.ts';
import { hasRates, type PriceRow, type Rates } from './price-row.ts';
import { rate } from './rate.ts';
import { instant } from './row-fixture.ts';

const book = await loadPriceBook();
const NOW = instant('2026-11-21T12:00:00Z');

/** Prices of the whole row, whatever it is called and whenever it holds. */
function priceAlone(row: PriceRow, meters: Usage['meters']) {
  const { window: _, ...always } = row;
  const alone = makePriceBook([
    { ...always, effectiveFrom: null, effectiveTo: null, match: [{ kind: 'id', id: 'it' }] },
  ]);
  return rate({ meters, origin: 'reported', raw: '' }, alone.find({ provider: row.provider, model: 'it', at: NOW }));
}

function isFree(rates: Rates): boolean {
  return Object.values(rates).every(({ amount }) => Number(amount) === 0);
}

test('A35: every row makes money of usage in each of its meters, unless all its prices are zero', () => {
  const priced = book.rows.filter(hasRates);
  const silent = priced.filter((row) => {
    const meters = Object.fromEntries(Object.keys(row.rates).map((meter) => [meter, 1_000]));
    const { state, cost } = priceAlone(row, meters);
    return state !== 'exact' || cost === null || (cost === 0n) !== isFree(row.rates);
  });
  assert.deepEqual(
    silent.map(({ id }) => id),
    [],
  );
});

test('DeepSeek at its peak costs twice as much, on weekdays, and Flash costs what it does since 4.1', () => {
  const millionInputAt = (model: string, at: string): string | null => {
    const match = book.find({ provider: 'deepseek', model, at: instant(at) });
    const { cost } = rate({ meters: { input: 1_000_000 }, origin: 'reported', raw: '' }, match);
    return cost === null ? null : formatUsd(cost);
  };
  const asked: [string, string, string | null][] = [
    ['deepseek-v4-pro', '2026-08-16T15:59:59.999Z', '0.435'],
    ['deepseek-v4-pro', '2026-08-16T16:00:00Z', '0.66'],
    ['deepseek-v4-pro', '2026-08-22T02:00:00Z', '1.32'],
    ['deepseek-v4-pro', '2026-08-23T02:00:00Z', '0.66'],
    ['deepseek-v4-pro', '2026-08-24T02:00:00Z', '1.32'],
    ['deepseek-v4-pro', '2026-08-24T04:00:00Z', '0.66'],
    ['deepseek-v4-flash', '2026-09-09T07:00:00Z', '0.44'],
    ['deepseek-v4-flash', '2026-09-10T07:00:00Z', '0.3'],
    ['deepseek-flash', '2026-11-20T07:00:00Z', '0.3'],
    ['deepseek-flash', '2026-11-21T07:00:00Z', '0.15'],
    ['deepseek-flash', '2026-09-01T00:00:00Z', null],
  ];
  for (const [model, at, amount] of asked) assert.equal(millionInputAt(model, at), amount, `${model} at ${at}`);
});

/** Snapshots that differ from the alias of the same name, each with the reason. */
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'openai/gpt-4o-2024-05-13': 'older than prompt caching, and never sold with priority',
  'mistral/ministral-8b-latest': 'the name without `latest` is the model of 2024, older than prompt caching',
  'mistral/mistral-large-latest': 'the name without `latest` is the model of 2024, older than prompt caching',
};

test('A16: an alias and its dated snapshots price the same meters and the same service tiers', () => {
  const dated = /^(.+?)-(?:\d{4}-\d{2}-\d{2}|\d{8}|latest)$/;
  const different: string[] = [];
  for (const provider of ['openai', 'anthropic', 'google', 'mistral', 'deepseek', 'groq', 'x-ai']) {
    for (const model of book.models(provider)) {
      const alias = dated.exec(model)?.[1];
      const [one, other] = [alias ?? '', model].map((name) => book.find({ provider, model: name, at: NOW }));
      if (one === undefined || other === undefined || one.model === other.model) continue;
      const [left, right] = [one, other].map((match) => {
        const sheets = match.bands[0]?.sheets.get('');
        return { meters: [...(match.bands[0]?.base.keys() ?? [])], tiers: [...(sheets?.keys() ?? [])].toSorted() };
      });
      if (JSON.stringify(left) !== JSON.stringify(right)) different.push(`${provider}/${model}`);
    }
  }
  assert.deepEqual(different.toSorted(), Object.keys(KNOWN_DIFFERENCES).toSorted());
});

test('P17 every own row names a page and a day, and its amounts are no typing error', () => {
  const own = book.rows.filter(({ layer }) => layer === 'overlay');
  for (const row of own) {
    assert.match(row.source, /^https:\/\/|^Apportion$/, row.id);
    assert.match(row.checked ?? '', /^20\d\d-\d\d-\d\d$/, row.id);
    for (const meter of ['input', 'cache_read', 'output_text'] as const) {
      const price = row.rates[meter];
      if (price !== undefined) assert.ok((Number(price.amount) * 1e6) / price.per <= 1_000, `${row.id}, ${meter}`);
    }
  }
});

test('P21 the fees of tools, images, speech and recordings are those of the price lists', () => {
  const cost = (model: string, meters: Usage['meters'], provider = 'openai') =>
    rate({ meters, origin: 'reported', raw: '' }, book.find({ provider, model, at: NOW })).cost;
  assert.equal(cost('gpt-4o', { web_search: 1_000, file_search: 1_000 }), 12_500_000_000_000n);
  assert.equal(cost('dall-e-3/hd/1024x1792', { image: 2 }), 240_000_000_000n);
  assert.equal(cost('gpt-image-1', { output_image: 1_000_000 }), 40_000_000_000_000n);
  assert.equal(cost('tts-1', { input_characters: 437 }), 6_555_000_000n);
  assert.equal(cost('tts-1-hd', { input_characters: 1_000_000 }), 30_000_000_000_000n);
  assert.equal(cost('whisper-1', { audio_seconds: 60 }), 6_000_000_000n);
  assert.equal(cost('omni-moderation-latest', { request: 1 }), 0n);
  assert.equal(cost('gpt-4o-audio-preview', { input_audio: 1_000_000, output_audio: 1_000_000 }), 120_000_000_000_000n);
  assert.equal(cost('whisper-large-v3-turbo', { audio_seconds: 3 }, 'groq'), 111_111_111n);
  assert.equal(cost('gemini-2.5-flash', { grounded_prompt: 1_000 }, 'google'), 35_000_000_000_000n);
  assert.equal(cost('gemini-3-pro-preview', { web_search: 1_000 }, 'google'), 14_000_000_000_000n);
  assert.equal(
    cost('claude-sonnet-4-5', { web_search: 1_000, cache_write_1h: 100_000 }, 'anthropic'),
    10_600_000_000_000n,
  );
  assert.equal(cost('mistral-large-latest', { input: 1_000_000, cache_read: 1_000_000 }, 'mistral'), 550_000_000_000n);
});

test('P20 Claude processed in the US costs a tenth more, and in fast mode its multiple, both on tokens alone', () => {
  const find = (model: string) => book.find({ provider: 'anthropic', model, at: NOW });
  const cost = (model: string, how: Partial<Usage>) =>
    rate({ meters: { input: 1_000_000, web_search: 1 }, origin: 'reported', raw: '', ...how }, find(model)).cost;
  const fee = 10_000_000_000n;
  assert.equal(cost('claude-opus-4-8', { geo: 'us' }), 5_500_000_000_000n + fee);
  assert.equal(cost('claude-opus-4-8', { geo: 'us', serviceTier: 'batch' }), 2_750_000_000_000n + fee);
  assert.equal(cost('claude-opus-5', { serviceTier: 'fast' }), 10_000_000_000_000n + fee);
  assert.equal(cost('claude-haiku-4-5', { serviceTier: 'fast' }), null);
  assert.equal(cost('claude-haiku-4-5', { geo: 'not_available' }), 1_000_000_000_000n + fee);
});
