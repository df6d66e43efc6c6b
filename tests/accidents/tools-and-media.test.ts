import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  anthropicMessages,
  NO_QUIRKS,
  openAiChat,
  openAiImages,
  openAiResponses,
  openAiTranscription,
  passThrough,
} from '#wires';
import { formatUsd, type Usage } from '#terms';
import { answered, bodyOf, cost, exactUsd, pricesOf, rates } from './priced.ts';

const CLAUDE = { input: '1', output_text: '5', web_search: '10' };

function message(usage: object): Usage {
  return answered(anthropicMessages, {
    id: 'msg',
    model: 'm',
    content: [],
    usage: { input_tokens: 100, output_tokens: 10, ...usage },
  });
}

function response(more: object): Usage {
  const usage = { input_tokens: 100, output_tokens: 10, total_tokens: 110 };
  return answered(openAiResponses, { id: 'resp', model: 'm', status: 'completed', output: [], usage, ...more });
}

test('A34: images are priced by model, quality, size and number', () => {
  const models = {
    'dall-e-3/standard/1024x1024': { rates: rates({ image: '40' }) },
    'dall-e-3/hd/1024x1024': { rates: rates({ image: '80' }) },
    'dall-e-3/hd/1024x1792': { rates: rates({ image: '120' }) },
    'dall-e-2/standard/512x512': { rates: rates({ image: '18' }) },
  };
  const usd = (fields: object): string => {
    const request = openAiImages.readRequest(bodyOf({ prompt: 'a cat', ...fields }));
    return exactUsd(answered(openAiImages, { created: 1, data: [] }, { request }), pricesOf({}, { models }));
  };
  assert.equal(usd({ model: 'dall-e-3' }), '0.04');
  assert.equal(usd({ model: 'dall-e-3', quality: 'hd' }), '0.08');
  assert.equal(usd({ model: 'dall-e-3', quality: 'hd', size: '1024x1792' }), '0.12');
  assert.equal(usd({ model: 'dall-e-2', size: '512x512', n: 3 }), '0.054');
});

test('A36: the tokens of a transcription are priced by what was heard and what was written', () => {
  const usage = answered(openAiTranscription, {
    text: 'hello',
    usage: {
      type: 'tokens',
      input_tokens: 1_400,
      input_token_details: { text_tokens: 14, audio_tokens: 1_386 },
      output_tokens: 101,
      total_tokens: 1_501,
    },
  });
  // 14 × 2.5 + 1,386 × 6 + 101 × 10
  assert.equal(exactUsd(usage, pricesOf({ input: '2.5', input_audio: '6', output_text: '10' })), '0.009361');
});

test('A37: a tool that was declared and not used costs nothing; one that was used twice costs two fees', () => {
  assert.equal(exactUsd(message({ server_tool_use: null }), pricesOf(CLAUDE)), '0.00015');
  assert.equal(exactUsd(message({ server_tool_use: { web_search_requests: 0 } }), pricesOf(CLAUDE)), '0.00015');
  assert.equal(exactUsd(message({ server_tool_use: { web_search_requests: 2 } }), pricesOf(CLAUDE)), '0.02015');
  assert.equal(exactUsd(response({ tools: [{ type: 'web_search' }] }), pricesOf(CLAUDE)), '0.00015');
});

test('A38: searches of a Responses answer are counted where they stand, in its output', () => {
  const search = { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } };
  const output = [search, { type: 'message', content: [] }, search, search];
  assert.equal(exactUsd(response({ output, tools: [{ type: 'web_search' }] }), pricesOf(CLAUDE)), '0.03015');
  // Where the answer counts for itself what is billed, that count holds.
  const counted = response({ output, tool_usage: { web_search: { num_requests: 1 } } });
  assert.equal(exactUsd(counted, pricesOf(CLAUDE)), '0.01015');
});

test('A39: what a code interpreter cost is not known from the answer, and is named as missing', () => {
  const output = [{ type: 'code_interpreter_call', id: 'ci', container_id: 'cntr_1', status: 'completed', code: '1' }];
  const rated = cost(response({ output }), pricesOf(CLAUDE));
  assert.deepEqual([rated.state, rated.unpricedMeters], ['incomplete', ['code_execution']]);
});

test('A40: files and lists have no usage, whatever stands in them', () => {
  for (const answer of [
    { object: 'list', data: [] },
    { id: 'file_1', usage: { prompt_tokens: 9_000 } },
  ]) {
    const facts = passThrough.readAnswer(Buffer.from(JSON.stringify(answer)), {
      request: passThrough.readRequest(bodyOf({})),
      quirks: NO_QUIRKS,
      headers: {},
    });
    assert.deepEqual([facts.usage?.meters ?? {}, facts.outputText, facts.outputCharsBeyond], [{}, '', 0]);
  }
});

test('A41: several models inside one answer are each paid at their own price', () => {
  const OPUS = { input: '5', cache_read: '0.5', output_text: '25' };
  const models = { 'claude-fable-5': { rates: rates({ input: '10', cache_read: '1', output_text: '50' }) } };
  const declined = { type: 'message', model: 'claude-fable-5', input_tokens: 2, cache_read_input_tokens: 560_186 };
  const served = { type: 'fallback_message', model: 'm', input_tokens: 400, output_tokens: 1_000 };
  const usd = (output: number): string =>
    exactUsd(
      message({
        input_tokens: 400,
        output_tokens: 1_000,
        iterations: [{ ...declined, output_tokens: output }, served],
      }),
      pricesOf(OPUS, { models }),
    );
  // 400 × 5 + 1,000 × 25, and 2 × 10 + 560,186 × 1 + 299 × 50 of the model that had begun to write
  assert.equal(usd(299), '0.602156');
  // A model that declined before it wrote anything is not billed.
  assert.equal(usd(0), '0.027');
});

test('A41: what a compaction read and wrote is paid, though the totals leave it out', () => {
  const usage = message({
    input_tokens: 23_000,
    output_tokens: 1_000,
    iterations: [
      { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500 },
      { type: 'message', input_tokens: 23_000, output_tokens: 1_000 },
    ],
  });
  // 203,000 × 5 + 4,500 × 25
  assert.equal(exactUsd(usage, pricesOf({ input: '5', output_text: '25' })), '1.1275');
});

test("A42: with keys of one's own OpenRouter's fee and the bill of the model's provider are summed, else its cost is all", () => {
  const reported = (usage: object): string => {
    const answer = {
      id: 'gen',
      model: 'm',
      choices: [],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, ...usage },
    };
    const rated = cost(
      answered(openAiChat, answer, { provider: 'openrouter' }),
      pricesOf({ input: '3', output_text: '15' }),
    );
    assert.equal(rated.state, 'reported');
    // What our price book makes of it stands beside: 10 × 3 + 5 × 15.
    assert.equal(formatUsd(rated.computedCost ?? assert.fail('computed')), '0.000105');
    return formatUsd(rated.cost ?? assert.fail('reported'));
  };
  assert.equal(
    reported({ cost: 0.0040584, is_byok: false, cost_details: { upstream_inference_cost: 0.0040584 } }),
    '0.0040584',
  );
  assert.equal(reported({ cost: 0, is_byok: true, cost_details: { upstream_inference_cost: 0.0012 } }), '0.0012');
  assert.equal(
    reported({ cost: 0.00006, is_byok: true, cost_details: { upstream_inference_cost: 0.0012 } }),
    '0.00126',
  );
});
