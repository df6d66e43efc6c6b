import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputTokens, outputTokens } from '#terms';
import { NO_QUIRKS } from '../wire.ts';
import { openAiChatUsage, xaiChatUsage } from './usage.ts';

const parse = (usage: unknown) => openAiChatUsage(usage, { quirks: NO_QUIRKS });

test('cached, written and audio tokens are taken out of the prompt, reasoning out of the completion', () => {
  const raw =
    '{"prompt_tokens":2600,"completion_tokens":900,"total_tokens":3500,' +
    '"prompt_tokens_details":{"cached_tokens":2000,"cache_write_tokens":400,"audio_tokens":0},' +
    '"completion_tokens_details":{"reasoning_tokens":640,"audio_tokens":0,"rejected_prediction_tokens":10}}';
  assert.deepEqual(openAiChatUsage(raw, { quirks: NO_QUIRKS, serviceTier: 'flex' }), {
    meters: {
      input: 200,
      input_audio: 0,
      cache_read: 2000,
      cache_write: 400,
      output_text: 260,
      output_reasoning: 640,
      output_audio: 0,
    },
    origin: 'reported',
    serviceTier: 'flex',
    raw,
  });
});

test('details that are absent or null give no meter, and a parsed object reads like its text', () => {
  const usage = {
    prompt_tokens: 12,
    completion_tokens: 3,
    total_tokens: 15,
    prompt_tokens_details: null,
    completion_tokens_details: { reasoning_tokens: null },
  };
  const expected = { meters: { input: 12, output_text: 3 }, origin: 'reported', raw: JSON.stringify(usage) };
  assert.deepEqual(parse(usage), expected);
  assert.deepEqual(parse(JSON.stringify(usage)), expected);
});

test('an embedding has input tokens and no output meter', () => {
  assert.deepEqual(parse({ prompt_tokens: 8, total_tokens: 8 })?.meters, { input: 8 });
});

test('usage that says nothing is null', () => {
  for (const nothing of [undefined, null, 'null', '', '{"prompt_tokens":', '[]', 7, {}, { prompt_tokens: null }])
    assert.equal(parse(nothing), null, JSON.stringify(nothing));
});

test('a count that is no count leaves no meter and is marked inconsistent', () => {
  for (const absurd of ['-1', '1.5', '"12"', '1e400', '9007199254740993', 'true']) {
    const raw = `{"prompt_tokens":${absurd},"completion_tokens":5}`;
    assert.deepEqual(parse(raw), { meters: {}, origin: 'reported', inconsistent: true, raw }, absurd);
    const inside = parse(
      `{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":${absurd}}}`,
    );
    assert.deepEqual([inside?.meters, inside?.inconsistent], [{}, true], absurd);
  }
});

test('a total that is not prompt plus completion is marked inconsistent, the parts stand', () => {
  const usage = parse({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 16 });
  assert.deepEqual(usage?.meters, { input: 10, output_text: 5 });
  assert.equal(usage?.inconsistent, true);
});

test('more cached than prompted tokens are counted outside the prompt, and marked', () => {
  const usage = parse({ prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 64 } });
  assert.deepEqual(usage?.meters, { input: 10, cache_read: 64, output_text: 5 });
  assert.equal(usage?.inconsistent, true);
});

test('reasoning that the total counts beside the completion is not taken out of it', () => {
  const usage = parse({
    prompt_tokens: 10120,
    completion_tokens: 1499,
    total_tokens: 10120 + 1499 + 1310,
    completion_tokens_details: { reasoning_tokens: 1310 },
  });
  assert.deepEqual(usage?.meters, { input: 10120, output_text: 1499, output_reasoning: 1310 });
  assert.equal(usage?.inconsistent, true);
});

test('more reasoning than completion tokens keeps both, and is marked', () => {
  const usage = parse({ prompt_tokens: 1, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 9 } });
  assert.deepEqual(usage?.meters, { input: 1, output_text: 5, output_reasoning: 9 });
  assert.equal(usage?.inconsistent, true);
});

test('audio that was read from the cache is not paid twice, and is marked', () => {
  const usage = parse({
    prompt_tokens: 1000,
    completion_tokens: 1,
    prompt_tokens_details: { cached_tokens: 900, audio_tokens: 800 },
  });
  assert.deepEqual(usage?.meters, { input: 0, input_audio: 100, cache_read: 900, output_text: 1 });
  assert.equal(usage?.inconsistent, true);
});

test('DeepSeek and Mistral cache counts are read where no details are sent', () => {
  const deepSeek = {
    prompt_tokens: 30,
    completion_tokens: 1,
    prompt_cache_hit_tokens: 20,
    prompt_cache_miss_tokens: 10,
  };
  assert.deepEqual(parse(deepSeek)?.meters, { input: 10, cache_read: 20, output_text: 1 });
  const mistral = { prompt_tokens: 30, completion_tokens: 1, num_cached_tokens: 20 };
  assert.deepEqual(parse(mistral)?.meters, { input: 10, cache_read: 20, output_text: 1 });
});

test('consistent parts always sum to the totals of the provider', () => {
  const count = fc.nat({ max: 1_000_000 });
  fc.assert(
    fc.property(fc.tuple(count, count, count, count, count), ([text, cached, written, said, thought]) => {
      const usage = parse({
        prompt_tokens: text + cached + written,
        completion_tokens: said + thought,
        total_tokens: text + cached + written + said + thought,
        prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
        completion_tokens_details: { reasoning_tokens: thought },
      });
      assert.ok(usage !== null && usage.inconsistent === undefined);
      assert.equal(inputTokens(usage.meters), text + cached + written);
      assert.equal(outputTokens(usage.meters), said + thought);
    }),
  );
});

test('reasoning beside the completion is what xAI says, and sound', () => {
  const said = {
    prompt_tokens: 10120,
    completion_tokens: 1499,
    total_tokens: 14428,
    prompt_tokens_details: { cached_tokens: 128 },
    completion_tokens_details: { reasoning_tokens: 2809 },
  };
  const usage = xaiChatUsage(said, { quirks: NO_QUIRKS });
  assert.deepEqual(usage?.meters, { input: 9992, cache_read: 128, output_text: 1499, output_reasoning: 2809 });
  assert.equal(usage?.inconsistent, undefined);
  const inside = xaiChatUsage(
    { ...said, total_tokens: 11619, completion_tokens: 1499, completion_tokens_details: { reasoning_tokens: 499 } },
    { quirks: NO_QUIRKS },
  );
  assert.deepEqual([inside?.meters.output_text, inside?.inconsistent], [1000, true]);
});
