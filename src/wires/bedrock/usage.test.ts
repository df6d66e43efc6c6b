import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS } from '../wire.ts';
import { readBedrockConverseUsage, readBedrockInvokeUsage } from './index.ts';

const CONTEXT = { quirks: NO_QUIRKS };

test('Claude counts the cache beside the input, and says how long each write lives', () => {
  const usage = {
    inputTokens: 12,
    outputTokens: 400,
    totalTokens: 21_597,
    cacheReadInputTokens: 13_923,
    cacheWriteInputTokens: 7_262,
    cacheDetails: [
      { ttl: '1h', inputTokens: 2_000 },
      { ttl: '5m', inputTokens: 5_262 },
    ],
  };
  const read = readBedrockConverseUsage(usage, { ...CONTEXT, model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' });
  assert.deepEqual(read?.meters, {
    input: 12,
    cache_read: 13_923,
    cache_write_5m: 5_262,
    cache_write_1h: 2_000,
    output_text: 400,
  });
  assert.equal(read?.inconsistent, undefined);
});

test('writes that no detail names live five minutes; Nova knows one lifetime', () => {
  const usage = { inputTokens: 1, outputTokens: 2, cacheWriteInputTokens: 10 };
  const metersOf = (model: string, more: object = {}): unknown =>
    readBedrockConverseUsage({ ...usage, ...more }, { ...CONTEXT, model })?.meters;
  const claude = 'anthropic.claude-haiku-4-5';
  assert.deepEqual(metersOf(claude), { input: 1, output_text: 2, cache_write_5m: 10 });
  assert.deepEqual(metersOf(claude, { cacheDetails: [{ ttl: '1h', inputTokens: 4 }] }), {
    input: 1,
    output_text: 2,
    cache_write_5m: 6,
    cache_write_1h: 4,
  });
  assert.deepEqual(metersOf('eu.amazon.nova-pro-v1:0'), { input: 1, output_text: 2, cache_write: 10 });
});

test("OpenAI's models count the cache inside the input, whatever the total says", () => {
  const usage = {
    inputTokens: 5_000,
    outputTokens: 100,
    totalTokens: 9_100,
    cacheReadInputTokens: 3_000,
    cacheWriteInputTokens: 1_000,
  };
  for (const model of ['openai.gpt-5.6-sol', 'us.openai.gpt-5.6-sol']) {
    const read = readBedrockConverseUsage(usage, { ...CONTEXT, model });
    assert.deepEqual(read?.meters, { input: 1_000, cache_read: 3_000, cache_write: 1_000, output_text: 100 });
    assert.equal(read?.inconsistent, undefined);
  }
});

test('totals that contradict their parts are flagged, and counts that are none leave no meter', () => {
  const flagged = readBedrockConverseUsage({ inputTokens: 1, outputTokens: 2, totalTokens: 9 }, CONTEXT);
  assert.deepEqual([flagged?.meters, flagged?.inconsistent], [{ input: 1, output_text: 2 }, true]);
  const absurd = readBedrockConverseUsage({ inputTokens: -1, outputTokens: 2 }, CONTEXT);
  assert.deepEqual([absurd?.meters, absurd?.inconsistent], [{}, true]);
  const gross = { ...CONTEXT, model: 'openai.gpt-5.6-sol' };
  const outside = readBedrockConverseUsage({ inputTokens: 1, outputTokens: 2, cacheReadInputTokens: 9 }, gross);
  assert.deepEqual([outside?.meters, outside?.inconsistent], [{ input: 1, cache_read: 9, output_text: 2 }, true]);
  assert.equal(readBedrockConverseUsage({}, CONTEXT), null);
});

test("an Invoke's metrics are read whichever model answered", () => {
  const metrics = { inputTokenCount: 7, outputTokenCount: 9, invocationLatency: 1_200, cacheReadInputTokenCount: 3 };
  assert.deepEqual(readBedrockInvokeUsage(metrics, CONTEXT)?.meters, { input: 7, cache_read: 3, output_text: 9 });
  assert.equal(readBedrockInvokeUsage({ firstByteLatency: 5 }, CONTEXT), null);
});
