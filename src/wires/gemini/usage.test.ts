import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Meters } from '#terms';
import { NO_QUIRKS, type UsageContext } from '../wire.ts';
import { Grounding, groundingUnitOf } from './grounding.ts';
import { readGeminiUsage } from './usage.ts';

const CONTEXT: UsageContext = { quirks: NO_QUIRKS };

function metersOf(usage: unknown): Meters | undefined {
  return readGeminiUsage(usage, CONTEXT)?.meters;
}

function inconsistent(usage: unknown): boolean {
  return readGeminiUsage(usage, CONTEXT)?.inconsistent === true;
}

test('cached tokens are inside the prompt, modality by modality, and what details do not name is text', () => {
  const usage = {
    promptTokenCount: 1000,
    cachedContentTokenCount: 500,
    candidatesTokenCount: 10,
    totalTokenCount: 1010,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 300 },
      { modality: 'AUDIO', tokenCount: 400 },
      { modality: 'DOCUMENT', tokenCount: 100 },
      { modality: 'IMAGE', tokenCount: 50 },
      { modality: 'VIDEO', tokenCount: 50 },
    ],
    cacheTokensDetails: [
      { modality: 'AUDIO', tokenCount: 250 },
      { modality: 'IMAGE', tokenCount: 100 },
      { modality: 'VIDEO', tokenCount: 30 },
    ],
  };
  assert.deepEqual(metersOf(usage), {
    input: 280,
    input_audio: 150,
    input_image: 50,
    input_video: 20,
    cache_read: 150,
    cache_read_audio: 250,
    cache_read_image: 100,
    output_text: 10,
  });
  assert.equal(inconsistent(usage), false);
});

test('thoughts and the prompts of tools stand beside the other counts', () => {
  const usage = {
    promptTokenCount: 100,
    candidatesTokenCount: 50,
    thoughtsTokenCount: 300,
    toolUsePromptTokenCount: 700,
    totalTokenCount: 1150,
  };
  assert.deepEqual(metersOf(usage), { input: 100, input_tool: 700, output_text: 50, output_reasoning: 300 });
  assert.equal(inconsistent(usage), false);
});

test('thoughts that the total proves to be inside the candidates are billed once', () => {
  const usage = { promptTokenCount: 100, candidatesTokenCount: 350, thoughtsTokenCount: 300, totalTokenCount: 450 };
  assert.deepEqual(metersOf(usage), { input: 100, output_text: 50, output_reasoning: 300 });
  assert.equal(inconsistent(usage), false);
});

test('a prompt of tools that the total proves to be inside the prompt is billed once', () => {
  const usage = { promptTokenCount: 100, candidatesTokenCount: 5, toolUsePromptTokenCount: 60, totalTokenCount: 105 };
  assert.deepEqual(metersOf(usage), { input: 40, input_tool: 60, output_text: 5 });
});

test('thoughts that are in the total only are not dropped, and flagged', () => {
  const usage = { promptTokenCount: 10, candidatesTokenCount: 150, totalTokenCount: 8160 };
  assert.deepEqual(metersOf(usage), { input: 10, output_text: 150, output_reasoning: 8000 });
  assert.equal(inconsistent(usage), true);
});

test('pictures and speech in the answer have their own meters', () => {
  const usage = {
    promptTokenCount: 7,
    candidatesTokenCount: 1310,
    totalTokenCount: 1317,
    candidatesTokensDetails: [
      { modality: 'IMAGE', tokenCount: 1290 },
      { modality: 'TEXT', tokenCount: 20 },
    ],
  };
  assert.deepEqual(metersOf(usage), { input: 7, output_text: 20, output_image: 1290 });
});

test('a cache without details that is larger than the text held media, and is flagged', () => {
  const usage = {
    promptTokenCount: 1264,
    cachedContentTokenCount: 1000,
    totalTokenCount: 1264,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 6 },
      { modality: 'IMAGE', tokenCount: 1258 },
    ],
  };
  assert.deepEqual(metersOf(usage), { input: 0, input_image: 264, cache_read: 6, cache_read_image: 994 });
  assert.equal(inconsistent(usage), true);
});

test('details that add up to more than the prompt are taken until it is spent, and flagged', () => {
  const usage = {
    promptTokenCount: 100,
    candidatesTokenCount: 1,
    promptTokensDetails: [
      { modality: 'IMAGE', tokenCount: 50 },
      { modality: 'AUDIO', tokenCount: 80 },
    ],
  };
  assert.deepEqual(metersOf(usage), { input: 0, input_audio: 80, input_image: 20, output_text: 1 });
  assert.equal(inconsistent(usage), true);
});

test('a cache larger than the prompt stands beside it, and is flagged', () => {
  const usage = { promptTokenCount: 10, cachedContentTokenCount: 90, candidatesTokenCount: 1 };
  assert.deepEqual(metersOf(usage), { input: 10, cache_read: 90, output_text: 1 });
  assert.equal(inconsistent(usage), true);
});

test('a prompt that only the total knows is not zero', () => {
  const usage = { candidatesTokenCount: 4, totalTokenCount: 14 };
  assert.deepEqual(metersOf(usage), { input: 10, output_text: 4 });
  assert.equal(inconsistent(usage), true);
});

test('counts that are no counts leave no meter, and the raw object stays as it was', () => {
  for (const absurd of ['-1', '1.5', '1e300', '"12"', '[]', '{}']) {
    const raw = `{"promptTokenCount": ${absurd}, "candidatesTokenCount": 2}`;
    const usage = readGeminiUsage(raw, CONTEXT);
    assert.deepEqual([usage?.meters, usage?.inconsistent, usage?.raw], [{}, true, raw]);
  }
});

test('usage that says nothing is null', () => {
  for (const nothing of [null, undefined, '{}', '[]', 'x', '{"trafficType":"ON_DEMAND"}', { promptTokenCount: null }])
    assert.equal(readGeminiUsage(nothing, CONTEXT), null);
});

test('the tier is the one that was served, by the name its price has', () => {
  const tierOf = (said: object, context: UsageContext = CONTEXT): string | undefined =>
    readGeminiUsage({ promptTokenCount: 1, ...said }, context)?.serviceTier;
  assert.equal(tierOf({ trafficType: 'ON_DEMAND' }), 'default');
  assert.equal(tierOf({ trafficType: 'ON_DEMAND_PRIORITY' }), 'priority');
  assert.equal(tierOf({ trafficType: 'ON_DEMAND_FLEX' }), 'flex');
  assert.equal(tierOf({ trafficType: 'ON_DEMAND_OFFPEAK' }), 'offpeak');
  assert.equal(tierOf({ trafficType: 'PROVISIONED_THROUGHPUT' }), 'provisioned_throughput');
  assert.equal(tierOf({ trafficType: 'TRAFFIC_TYPE_UNSPECIFIED', serviceTier: 'standard' }), 'default');
  assert.equal(tierOf({ serviceTier: 'unspecified' }), undefined);
  assert.equal(tierOf({ serviceTier: 'flex' }, { ...CONTEXT, serviceTier: 'priority' }), 'flex');
  assert.equal(tierOf({}, { ...CONTEXT, serviceTier: 'batch' }), 'batch');
});

test('a search is billed per prompt up to Gemini 2.5 and per different query since Gemini 3', () => {
  const grounding = new Grounding();
  grounding.add({ webSearchQueries: ['a', 'b', '', 'a'] });
  grounding.add({ webSearchQueries: ['b', 'c'], groundingChunks: [{ web: { uri: 'https://example.com' } }] });
  assert.deepEqual(grounding.meters(groundingUnitOf('gemini-2.5-flash')), { grounded_prompt: 1 });
  assert.deepEqual(grounding.meters(groundingUnitOf('gemini-3-pro-preview')), { web_search: 3 });
});

test('a search tool that was not used costs nothing, and Maps never count as free', () => {
  const unused = new Grounding();
  unused.add({});
  unused.add(undefined);
  assert.deepEqual(unused.meters('query'), {});
  const maps = new Grounding();
  maps.add({ groundingChunks: [{ maps: { placeId: 'x' } }] });
  assert.deepEqual(maps.meters('query'), { search_unit: 1 });
});

test('every token of a sound usage is in exactly one meter', () => {
  const count = fc.nat(100_000);
  fc.assert(
    fc.property(
      fc.record({ text: count, audio: count, image: count, video: count }),
      fc.record({ text: count, audio: count, image: count, video: count }),
      fc.record({ candidates: count, thoughts: count, tool: count }),
      (prompt, share, output) => {
        const cached = {
          text: share.text % (prompt.text + 1),
          audio: share.audio % (prompt.audio + 1),
          image: share.image % (prompt.image + 1),
          video: share.video % (prompt.video + 1),
        };
        const promptTokenCount = sum(prompt);
        const usage = readGeminiUsage(
          {
            promptTokenCount,
            cachedContentTokenCount: sum(cached),
            candidatesTokenCount: output.candidates,
            thoughtsTokenCount: output.thoughts,
            toolUsePromptTokenCount: output.tool,
            totalTokenCount: promptTokenCount + sum(output),
            promptTokensDetails: detailsOf(prompt),
            cacheTokensDetails: detailsOf(cached),
          },
          CONTEXT,
        );
        assert.equal(usage?.inconsistent, undefined);
        assert.equal(sum(usage?.meters ?? {}), promptTokenCount + sum(output));
        assert.equal(usage?.meters.input_audio, prompt.audio - cached.audio);
      },
    ),
  );
});

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}

function detailsOf(parts: Readonly<Record<string, number>>): unknown[] {
  return Object.entries(parts).map(([modality, tokenCount]) => ({ modality: modality.toUpperCase(), tokenCount }));
}
