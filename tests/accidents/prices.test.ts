import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputTokens, outputTokens } from '#terms';
import { anthropicMessages, geminiGenerate, openAiChat, openAiResponses, readUsage, NO_QUIRKS } from '#wires';
import { answered, bodyOf, cost, exactUsd, pricesOf, rates, streamed } from './priced.ts';

const GPT_4O = { input: '2.5', cache_read: '1.25', output_text: '10', output_reasoning: '10' };
const SONNET = {
  input: '3',
  cache_read: '0.3',
  cache_write_5m: '3.75',
  cache_write_1h: '6',
  output_text: '15',
  output_reasoning: '15',
};
const LONG_SONNET = {
  op: 'gt',
  threshold: 200_000,
  rates: rates({ input: '6', cache_read: '0.6', cache_write_5m: '7.5', cache_write_1h: '12', output_text: '22.5' }),
};
const FLASH = { input: '0.3', cache_read: '0.03', output_text: '2.5', output_reasoning: '2.5', input_tool: '0.3' };

type ChatCounts = { prompt: number; cached?: number; written?: number; completion: number; reasoning?: number };

function chatUsage({ prompt, cached = 0, written = 0, completion, reasoning = 0 }: ChatCounts): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function chat(counts: ChatCounts, tier?: string): ReturnType<typeof answered> {
  return answered(openAiChat, { id: 'c', model: 'm', choices: [], usage: chatUsage(counts), service_tier: tier });
}

function message(usage: object): ReturnType<typeof answered> {
  return answered(anthropicMessages, { id: 'msg', model: 'm', content: [], usage });
}

function gemini(usageMetadata: object): ReturnType<typeof answered> {
  return answered(geminiGenerate, { responseId: 'r', modelVersion: 'm', candidates: [], usageMetadata });
}

test('A1: cached input is billed at its own price, and the more of it is cached the less it costs', () => {
  // 2,618 × 2.5 + 3,456 × 1.25 + 285 × 10 millionths of a dollar.
  assert.equal(exactUsd(chat({ prompt: 6_074, cached: 3_456, completion: 285 }), pricesOf(GPT_4O)), '0.013715');
  const prices = pricesOf(GPT_4O);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500_000 }), fc.nat({ max: 499_999 }), (prompt, share) => {
      const cached = share % prompt;
      const less = cost(chat({ prompt, cached, completion: 9 }), prices).cost;
      const more = cost(chat({ prompt, cached: cached + 1, completion: 9 }), prices).cost;
      assert.ok(less !== null && more !== null && more < less);
    }),
  );
});

test('A2: the cached tokens of many streams sum to those of the bill, however often a stream repeats them', () => {
  let billed = 0;
  let seen = 0;
  for (let call = 0; call < 40; call += 1) {
    const cached = call * 83 + 14;
    billed += cached;
    const total = { prompt: cached + 500, cached, completion: 50 };
    const running = Array.from({ length: call % 4 }, (_, chunk) => ({
      choices: [{ index: 0, delta: { content: 'a' } }],
      usage: chatUsage({ ...total, completion: chunk }),
    }));
    const usage = streamed(openAiChat, [...running, { id: 'c', model: 'm', choices: [], usage: chatUsage(total) }]);
    seen += usage.meters.cache_read ?? 0;
  }
  assert.equal(seen, billed);
  assert.equal(billed, 65_300);
});

const CACHED_GEMINI = {
  promptTokenCount: 1_264,
  cachedContentTokenCount: 1_000,
  candidatesTokenCount: 100,
  totalTokenCount: 1_364,
};

test("A3: Gemini's implicit cache is read, in an answer and in a stream", () => {
  const chunk = { responseId: 'r', modelVersion: 'm', usageMetadata: CACHED_GEMINI };
  const early = { responseId: 'r', modelVersion: 'm', usageMetadata: { ...CACHED_GEMINI, candidatesTokenCount: 1 } };
  const finish = { ...chunk, candidates: [{ finishReason: 'STOP', content: { parts: [] } }] };
  for (const usage of [gemini(CACHED_GEMINI), streamed(geminiGenerate, [early, finish])]) {
    assert.deepEqual([usage.meters.input, usage.meters.cache_read], [264, 1_000]);
    // 264 × 0.3 + 1,000 × 0.03 + 100 × 2.5
    assert.equal(exactUsd(usage, pricesOf(FLASH)), '0.0003592');
  }
});

const count = fc.nat({ max: 2_000_000 });

test("A4: uncached, read and written tokens sum to the provider's own total, wherever it counts the cache", () => {
  fc.assert(
    fc.property(fc.tuple(count, count, count, count), ([uncached, read, short, long]) => {
      const all = uncached + read + short + long;
      const inside = chat({ prompt: all, cached: read, written: short + long, completion: 1 });
      const beside = message({
        input_tokens: uncached,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: short + long,
        cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
        output_tokens: 1,
      });
      const google = gemini({
        promptTokenCount: all,
        cachedContentTokenCount: read,
        candidatesTokenCount: 1,
        totalTokenCount: all + 1,
      });
      for (const { meters, inconsistent } of [inside, beside, google]) {
        assert.equal(inputTokens(meters), all);
        assert.equal(meters.cache_read ?? 0, read);
        assert.equal(inconsistent, undefined);
      }
    }),
  );
});

test('A5: tokens of a kind without a price are named, and the cost is not called exact', () => {
  const { cache_read: _, ...withoutCache } = GPT_4O;
  const rated = cost(chat({ prompt: 100, cached: 60, completion: 5 }), pricesOf(withoutCache));
  assert.deepEqual([rated.state, rated.unpricedMeters, rated.listCost], ['incomplete', ['cache_read'], null]);
});

test("A6: cache writes beyond the breakdown of a stream's start are billed, for five minutes", () => {
  const usage = streamed(anthropicMessages, [
    {
      type: 'message_start',
      message: {
        id: 'msg',
        model: 'm',
        usage: {
          input_tokens: 12,
          cache_creation_input_tokens: 31_490,
          cache_read_input_tokens: 0,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 31_490 },
          output_tokens: 1,
        },
      },
    },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { cache_creation_input_tokens: 184_457, output_tokens: 900 },
    },
    { type: 'message_stop' },
  ]);
  // 12 × 3 + 152,967 × 3.75 + 31,490 × 6 + 900 × 15
  assert.equal(exactUsd(usage, pricesOf(SONNET)), '0.77610225');
});

test('A7: a write for an hour in a long context is dearer by both', () => {
  const usage = message({
    input_tokens: 10_000,
    cache_creation_input_tokens: 200_000,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 200_000 },
    output_tokens: 100,
  });
  // 10,000 × 6 + 200,000 × 12 + 100 × 22.5
  assert.equal(exactUsd(usage, pricesOf(SONNET, { tiers: [LONG_SONNET] })), '2.46225');
});

test('A8: the total of tokens is the sum of all parts, the cached ones included', () => {
  fc.assert(
    fc.property(count, count, count, (uncached, cached, written) => {
      const total = uncached + cached + written;
      const openAi = chat({ prompt: uncached + cached, cached, completion: written }).meters;
      const google = gemini({
        promptTokenCount: uncached + cached,
        cachedContentTokenCount: cached,
        candidatesTokenCount: written,
        totalTokenCount: total,
      }).meters;
      for (const meters of [openAi, google]) assert.equal(inputTokens(meters) + outputTokens(meters), total);
    }),
  );
});

test('A9: one usage means the same through every provider that serves the model, and has a price at each', () => {
  const native = message({
    input_tokens: 100,
    cache_read_input_tokens: 2_000,
    cache_creation_input_tokens: 300,
    cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 100 },
    output_tokens: 40,
  });
  const bedrock = readUsage({
    wire: 'bedrock.converse',
    quirks: NO_QUIRKS,
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    usage: {
      inputTokens: 100,
      cacheReadInputTokens: 2_000,
      cacheWriteInputTokens: 300,
      cacheDetails: [
        { ttl: '5m', inputTokens: 200 },
        { ttl: '1h', inputTokens: 100 },
      ],
      outputTokens: 40,
      totalTokens: 2_440,
    },
  });
  assert.ok(bedrock !== null);
  // 100 × 3 + 2,000 × 0.3 + 200 × 3.75 + 100 × 6 + 40 × 15
  for (const usage of [native, bedrock]) {
    assert.equal(exactUsd(usage, pricesOf(SONNET)), '0.00285');
    assert.equal(exactUsd(usage, pricesOf(SONNET), { account: 'azure-foundry' }), '0.00285');
  }
});

test('A10: a stream has the same usage as the answer that is none', () => {
  const counts = chatUsage({ prompt: 2_006, cached: 1_920, completion: 300, reasoning: 64 });
  const openAi = { id: 'c', model: 'm', choices: [], service_tier: 'default', usage: counts };
  assert.deepEqual(streamed(openAiChat, [{ ...openAi, usage: null }, openAi]), answered(openAiChat, openAi));
  const response = {
    id: 'resp',
    model: 'm',
    status: 'completed',
    output: [],
    usage: { input_tokens: 90, input_tokens_details: { cached_tokens: 64 }, output_tokens: 7, total_tokens: 97 },
  };
  assert.deepEqual(
    streamed(openAiResponses, [{ type: 'response.completed', response }]),
    answered(openAiResponses, response),
  );
  const anthropic = {
    input_tokens: 5,
    cache_read_input_tokens: 700,
    cache_creation_input_tokens: 0,
    output_tokens: 90,
  };
  assert.deepEqual(
    streamed(anthropicMessages, [
      { type: 'message_start', message: { id: 'msg', model: 'm', usage: { ...anthropic, output_tokens: 1 } } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 90 } },
      { type: 'message_stop' },
    ]),
    message(anthropic),
  );
  const chunk = { responseId: 'r', modelVersion: 'm', candidates: [{ finishReason: 'STOP' }] };
  assert.deepEqual(
    streamed(geminiGenerate, [{ ...chunk, usageMetadata: CACHED_GEMINI }]).meters,
    gemini(CACHED_GEMINI).meters,
  );
});

test('A11: reasoning is inside the completion, and paid once', () => {
  const usage = chat({ prompt: 10, completion: 1_000, reasoning: 832 });
  assert.deepEqual([usage.meters.output_text, usage.meters.output_reasoning], [168, 832]);
  // 10 × 2.5 + 1,000 × 10
  assert.equal(exactUsd(usage, pricesOf(GPT_4O)), '0.010025');
});

test("A12: Gemini's thoughts are beside its candidates, and paid", () => {
  const usage = gemini({
    promptTokenCount: 20,
    candidatesTokenCount: 150,
    thoughtsTokenCount: 8_000,
    totalTokenCount: 8_170,
  });
  assert.equal(outputTokens(usage.meters), 8_150);
  // 20 × 0.3 + 8,150 × 2.5
  assert.equal(exactUsd(usage, pricesOf(FLASH)), '0.020381');
});

test('A13: where the total proves that the candidates contain the thoughts, they are paid once', () => {
  const usage = gemini({
    promptTokenCount: 20,
    candidatesTokenCount: 8_150,
    thoughtsTokenCount: 8_000,
    totalTokenCount: 8_170,
  });
  assert.deepEqual([usage.meters.output_text, usage.meters.output_reasoning], [150, 8_000]);
  assert.equal(exactUsd(usage, pricesOf(FLASH)), '0.020381');
});

const TIERS = {
  service_tiers: {
    flex: { factor: '0.5' },
    batch: { factor: '0.5' },
    priority: { rates: rates({ input: '5', cache_read: '2.5', output_text: '25', output_reasoning: '25' }) },
  },
};

test('A14, A18: the tier is a condition of the price: flex, batch, default and priority of one model differ', () => {
  const usd = (tier: string): string =>
    exactUsd(chat({ prompt: 1_000, cached: 400, completion: 100 }, tier), pricesOf(GPT_4O, TIERS));
  // (600 × 2.5 + 400 × 1.25 + 100 × 10), half of it, and 600 × 5 + 400 × 2.5 + 100 × 25
  assert.deepEqual(['default', 'flex', 'batch', 'priority'].map(usd), ['0.003', '0.0015', '0.0015', '0.0065']);
});

test('A15: the tier that was served is paid, whichever was asked for', () => {
  const answer = (tier: string): object => ({
    id: 'c',
    model: 'm',
    choices: [],
    usage: chatUsage({ prompt: 1_000, cached: 400, completion: 100 }),
    service_tier: tier,
  });
  const usd = (asked: string, served: string): string => {
    const request = openAiChat.readRequest(bodyOf({ model: 'm', messages: [], service_tier: asked }));
    return exactUsd(answered(openAiChat, answer(served), { request }), pricesOf(GPT_4O, TIERS));
  };
  assert.deepEqual([usd('priority', 'default'), usd('auto', 'priority')], ['0.003', '0.0065']);
});

test("A17: Anthropic's tier stands in its usage: standard, batch and fast are told apart, and one without a price is not guessed", () => {
  const tiers = { service_tiers: { batch: { factor: '0.5' }, fast: { factor: '2' } } };
  const served = (terms: object) =>
    cost(message({ input_tokens: 1_000, output_tokens: 100, ...terms }), pricesOf(SONNET, tiers));
  const usd = (terms: object): string =>
    exactUsd(message({ input_tokens: 1_000, output_tokens: 100, ...terms }), pricesOf(SONNET, tiers));
  assert.equal(usd({ service_tier: 'standard', speed: 'standard' }), '0.0045');
  assert.equal(usd({ service_tier: 'batch' }), '0.00225');
  assert.equal(usd({ service_tier: 'standard', speed: 'fast' }), '0.009');
  for (const terms of [{ service_tier: 'priority' }, { service_tier: 'batch', speed: 'fast' }]) {
    const { state, cost: none, reason } = served(terms);
    assert.deepEqual([state, none, reason], ['unpriced', null, 'service_tier_without_price']);
  }
});

test('A19: a context tier begins where its provider says, above the threshold or at it', () => {
  const usd = (op: string, tokens: number): string =>
    exactUsd(
      message({ input_tokens: 5, cache_read_input_tokens: tokens - 5, output_tokens: 0 }),
      pricesOf(
        { cache_read: '1', input: '1', output_text: '1' },
        {
          tiers: [{ op, threshold: 200_000, rates: rates({ cache_read: '2', input: '2', output_text: '2' }) }],
        },
      ),
    );
  assert.deepEqual(
    [199_999, 200_000, 200_001].map((tokens) => usd('gt', tokens)),
    ['0.199999', '0.2', '0.400002'],
  );
  assert.deepEqual(
    [199_999, 200_000, 200_001].map((tokens) => usd('gte', tokens)),
    ['0.199999', '0.4', '0.400002'],
  );
});

test('A20: a long context makes every token dearer, and cache writes count towards it', () => {
  const usage = chat({ prompt: 278_000, cached: 270_000, written: 5_000, completion: 1_000 });
  const long = { input: '10', cache_read: '1', cache_write: '12.5', output_text: '45' };
  const prices = pricesOf(
    { input: '5', cache_read: '0.5', cache_write: '6.25', output_text: '30' },
    {
      tiers: [{ op: 'gt', threshold: 272_000, rates: rates(long) }],
    },
  );
  // 3,000 × 10 + 270,000 × 1 + 5,000 × 12.5 + 1,000 × 45
  assert.equal(exactUsd(usage, prices), '0.4075');
});

const PLACES = { geo: { us: { factor: '1.1' }, eu: { rates: rates({ input: '3.6', output_text: '18' }) } } };
const PLACED = { input_tokens: 1_000, output_tokens: 100 };

test('A21: a place of its own has a price of its own, and none is mistaken for another', () => {
  const usd = (region: string): string => exactUsd(message(PLACED), pricesOf(SONNET, PLACES), { region });
  assert.deepEqual(['', 'us', 'eu'].map(usd), ['0.0045', '0.00495', '0.0054']);
});

test('A22: a place without a price has no cost, not that of another place', () => {
  const rated = cost(message(PLACED), pricesOf(SONNET, PLACES), { region: 'ap' });
  assert.deepEqual([rated.state, rated.cost, rated.reason], ['unpriced', null, 'geo_without_price']);
});

test('A23: what the answer says of its place comes before what is known of the deployment', () => {
  const there = message({ ...PLACED, inference_geo: 'us' });
  assert.equal(exactUsd(there, pricesOf(SONNET, PLACES)), '0.00495');
  assert.equal(exactUsd(there, pricesOf(SONNET, PLACES), { region: 'eu' }), '0.00495');
  assert.equal(exactUsd(message({ ...PLACED, inference_geo: 'global' }), pricesOf(SONNET, PLACES)), '0.0045');
});
