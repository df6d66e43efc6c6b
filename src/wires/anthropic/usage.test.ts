import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputTokens, outputTokens, type Usage } from '#terms';
import { NO_QUIRKS } from '../wire.ts';
import { mergeAnthropicEvents } from './merged-usage.ts';
import { readAnthropicUsage } from './usage.ts';

const CONTEXT = { quirks: NO_QUIRKS };

function read(usage: unknown): Usage {
  const given = readAnthropicUsage(usage, CONTEXT);
  assert.ok(given !== null);
  return given;
}

test('the cache stands beside the input, and cache writes are split by their lifetime', () => {
  const raw =
    '{"input_tokens":2048,"cache_creation_input_tokens":248,"cache_read_input_tokens":1800,"output_tokens":503,' +
    '"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":100},"service_tier":"standard"}';
  assert.deepEqual(read(raw), {
    meters: { input: 2048, cache_read: 1800, cache_write_5m: 148, cache_write_1h: 100, output_text: 503 },
    origin: 'reported',
    serviceTier: 'standard',
    raw,
  });
});

test('without a breakdown all cache writes are of five minutes, and of an incomplete one the rest', () => {
  const usage = { input_tokens: 21, cache_creation_input_tokens: 188086, output_tokens: 393 };
  assert.deepEqual(read(usage).meters, { input: 21, cache_write_5m: 188086, output_text: 393 });
  assert.deepEqual(read({ ...usage, cache_creation: null }).meters, read(usage).meters);
  const part = { ...usage, cache_creation: { ephemeral_5m_input_tokens: 31_000, ephemeral_1h_input_tokens: 490 } };
  assert.deepEqual(read(part).meters, { input: 21, cache_write_5m: 187_596, cache_write_1h: 490, output_text: 393 });
  assert.equal(read(part).inconsistent, undefined);
});

test('a breakdown of more than the total is billed as it says, and marked', () => {
  const usage = read({
    input_tokens: 1,
    cache_creation_input_tokens: 10,
    cache_creation: { ephemeral_5m_input_tokens: 8, ephemeral_1h_input_tokens: 20 },
    output_tokens: 1,
  });
  assert.deepEqual(usage.meters, { input: 1, cache_write_5m: 8, cache_write_1h: 20, output_text: 1 });
  assert.equal(usage.inconsistent, true);
});

test('thoughts are inside the output', () => {
  const usage = { input_tokens: 50, output_tokens: 1237, output_tokens_details: { thinking_tokens: 1024 } };
  assert.deepEqual(read(usage).meters, { input: 50, output_text: 213, output_reasoning: 1024 });
  const more = read({ ...usage, output_tokens_details: { thinking_tokens: 2000 } });
  assert.deepEqual([more.meters.output_text, more.meters.output_reasoning, more.inconsistent], [0, 1237, true]);
});

test('searches are counted, fetches are free', () => {
  const usage = {
    input_tokens: 5,
    output_tokens: 6,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 9 },
  };
  assert.deepEqual(read(usage).meters, { input: 5, output_text: 6, web_search: 2 });
});

test('fast is a tier of its own, and no price is guessed for a combination nobody sells', () => {
  const tier = (usage: object) => read({ input_tokens: 1, output_tokens: 1, ...usage }).serviceTier;
  assert.equal(tier({}), undefined);
  assert.equal(tier({ service_tier: 'priority', speed: 'standard' }), 'priority');
  assert.equal(tier({ service_tier: 'standard', speed: 'fast' }), 'fast');
  assert.equal(tier({ service_tier: null, speed: 'fast' }), 'fast');
  assert.equal(tier({ service_tier: 'batch', speed: 'fast' }), 'batch+fast');
  const told = readAnthropicUsage({ input_tokens: 1, output_tokens: 1 }, { ...CONTEXT, serviceTier: 'batch' });
  assert.equal(told?.serviceTier, 'batch');
});

test('the place is what the answer says, or else what is known of it', () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  assert.equal(read({ ...usage, inference_geo: 'us' }).geo, 'us');
  assert.equal(read({ ...usage, inference_geo: null }).geo, undefined);
  assert.equal(read({ ...usage, inference_geo: 'not_available' }).geo, undefined);
  assert.equal(readAnthropicUsage(usage, { ...CONTEXT, geo: 'eu' })?.geo, 'eu');
});

test('a compaction is billed beside the top, which leaves it out', () => {
  const usage = read({
    input_tokens: 23_000,
    output_tokens: 1_000,
    iterations: [
      { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500 },
      { type: 'message', input_tokens: 23_000, output_tokens: 1_000 },
    ],
  });
  assert.deepEqual([usage.meters, usage.inconsistent], [{ input: 203_000, output_text: 4_500 }, undefined]);
});

test('turns are summed where the top shows the first alone, and advisors are other models', () => {
  const usage = read({
    input_tokens: 400,
    cache_read_input_tokens: 0,
    output_tokens: 531,
    iterations: [
      { type: 'message', model: 'claude-sonnet-5', input_tokens: 400, output_tokens: 89 },
      { type: 'advisor_message', model: 'claude-opus-5', input_tokens: 820, output_tokens: 1_600 },
      {
        type: 'message',
        model: 'claude-sonnet-5',
        input_tokens: 1_300,
        cache_read_input_tokens: 400,
        output_tokens: 442,
      },
    ],
  });
  assert.deepEqual(usage.meters, { input: 1_700, cache_read: 400, output_text: 531 });
  assert.deepEqual(usage.others, [{ model: 'claude-opus-5', meters: { input: 820, output_text: 1_600 } }]);
  assert.equal(usage.inconsistent, undefined);
});

test('turns that leave out what the top says do not replace it, and are marked', () => {
  const usage = read({
    input_tokens: 500,
    output_tokens: 90,
    iterations: [{ type: 'message', input_tokens: 400, output_tokens: 89 }],
  });
  assert.deepEqual([usage.meters, usage.inconsistent], [{ input: 500, output_text: 90 }, true]);
});

const DECLINED = { type: 'message', model: 'claude-fable-5', input_tokens: 10, cache_read_input_tokens: 5_000 };
const SERVED = { type: 'fallback_message', model: 'claude-opus-4-8', input_tokens: 412, output_tokens: 264 };

test('with a fallback the top is billed; a model that declined before it wrote anything is not', () => {
  const usage = read({
    input_tokens: 412,
    output_tokens: 264,
    iterations: [{ ...DECLINED, output_tokens: 0 }, SERVED],
  });
  assert.deepEqual(
    [usage.meters, usage.others, usage.inconsistent],
    [{ input: 412, output_text: 264 }, undefined, undefined],
  );
});

test('a model that declined in the midst of its answer is billed at its own price, also where the top holds both', () => {
  const iterations = [{ ...DECLINED, output_tokens: 299 }, SERVED];
  const apart = read({ input_tokens: 412, output_tokens: 264, iterations });
  const together = read({ input_tokens: 422, cache_read_input_tokens: 5_000, output_tokens: 563, iterations });
  for (const usage of [apart, together]) {
    assert.equal(inputTokens(usage.meters), 412);
    assert.equal(outputTokens(usage.meters), 264);
    assert.deepEqual(usage.others, [
      { model: 'claude-fable-5', meters: { input: 10, cache_read: 5_000, output_text: 299 } },
    ]);
    assert.equal(usage.inconsistent, undefined);
  }
});

test('a redeemed credit is marked: the usage does not say what was billed cheaper', () => {
  const usage = { input_tokens: 1, output_tokens: 1, fallback_credit: { status: { type: 'redeemed' } } };
  assert.equal(read(usage).inconsistent, true);
  assert.equal(read({ ...usage, fallback_credit: { status: { type: 'not_applied' } } }).inconsistent, undefined);
});

test('a count that is no count leaves no meter and is marked inconsistent', () => {
  for (const absurd of ['-1', '1.5', '"12"', '1e400', '9007199254740993', 'true']) {
    for (const raw of [
      `{"input_tokens":${absurd},"output_tokens":5}`,
      `{"input_tokens":5,"output_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":${absurd}}}`,
      `{"input_tokens":5,"output_tokens":5,"output_tokens_details":{"thinking_tokens":${absurd}}}`,
      `{"input_tokens":5,"output_tokens":5,"server_tool_use":{"web_search_requests":${absurd}}}`,
      `{"input_tokens":5,"output_tokens":5,"iterations":[{"type":"message","input_tokens":${absurd}}]}`,
    ])
      assert.deepEqual(read(raw), { meters: {}, origin: 'reported', inconsistent: true, raw }, raw);
  }
});

test('usage that says nothing is null', () => {
  for (const nothing of [undefined, null, 'null', '', '{"input_tokens":', '[]', 7, {}, { input_tokens: null }])
    assert.equal(readAnthropicUsage(nothing, CONTEXT), null, JSON.stringify(nothing));
});

test('totals of a stream replace those before them, are never added, and do not fall back to zero', () => {
  const events = [
    {
      type: 'message_start',
      message: { usage: { input_tokens: 2_679, cache_read_input_tokens: 0, output_tokens: 3 } },
    },
    { type: 'content_block_delta', delta: {} },
    { type: 'message_delta', delta: {}, usage: { input_tokens: 0, cache_read_input_tokens: null, output_tokens: 200 } },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 10_682, output_tokens: 510, server_tool_use: { web_search_requests: 1 } },
    },
    { type: 'message_stop' },
  ];
  const { meters } = read(mergeAnthropicEvents(events));
  assert.deepEqual(meters, { input: 10_682, cache_read: 0, output_text: 510, web_search: 1 });
  assert.deepEqual(read(mergeAnthropicEvents(events.flatMap((event) => [event, event]))).meters, meters);
  assert.equal(mergeAnthropicEvents([{ type: 'ping' }]), null);
});

test('writes of a stream beyond the breakdown of its start are written for five minutes', () => {
  const merged = mergeAnthropicEvents([
    {
      type: 'message_start',
      message: {
        usage: {
          input_tokens: 9,
          cache_creation_input_tokens: 31_490,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 31_490 },
          output_tokens: 1,
        },
      },
    },
    { type: 'message_delta', delta: {}, usage: { cache_creation_input_tokens: 184_457, output_tokens: 700 } },
  ]);
  assert.deepEqual(read(merged).meters, {
    input: 9,
    cache_write_5m: 152_967,
    cache_write_1h: 31_490,
    output_text: 700,
  });
});

test('the parts always sum to the totals of the provider', () => {
  const count = fc.nat({ max: 1_000_000 });
  fc.assert(
    fc.property(fc.tuple(count, count, count, count, count, count), ([text, cached, short, long, said, thought]) => {
      const usage = read({
        input_tokens: text,
        cache_read_input_tokens: cached,
        cache_creation_input_tokens: short + long,
        cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
        output_tokens: said + thought,
        output_tokens_details: { thinking_tokens: thought },
      });
      assert.equal(usage.inconsistent, undefined);
      assert.equal(inputTokens(usage.meters), text + cached + short + long);
      assert.equal(outputTokens(usage.meters), said + thought);
    }),
  );
});

test('unknown fields change nothing, and usage read again from its raw text is the same', () => {
  const plain = { input_tokens: 7, output_tokens: 8 };
  const odd = read({ ...plain, tokens_of_a_new_kind: 5, cache_creation: { ephemeral_1d_input_tokens: null } });
  assert.deepEqual(odd.meters, read(plain).meters);
  assert.deepEqual(read(odd.raw), odd);
});
