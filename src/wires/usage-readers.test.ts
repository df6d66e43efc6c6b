import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS } from './wire.ts';
import { readUsage, USAGE_READERS, type StatedUsage } from './usage-readers.ts';

const read = (wire: string, stated: Partial<StatedUsage>) => readUsage({ wire, quirks: NO_QUIRKS, ...stated });

const CHAT = { prompt_tokens: 24, completion_tokens: 58, total_tokens: 82 };

test('every wire is known by its name and by that of its stream, and no other is', () => {
  for (const wire of Object.keys(USAGE_READERS)) assert.equal(read(wire, { usage: null, events: [] })?.raw ?? '', '');
  assert.equal(read('openai.chats', { usage: CHAT }), null);
  assert.equal(read('constructor', { usage: CHAT }), null);
});

test('a usage object, the whole answer and the events of a stream say the same', () => {
  const meters = { input: 24, output_text: 58 };
  assert.deepEqual(read('openai.chat', { usage: CHAT })?.meters, meters);
  assert.deepEqual(read('openai.chat', { usage: JSON.stringify(CHAT) })?.raw, JSON.stringify(CHAT));
  assert.deepEqual(read('openai.chat', { usage: { id: 'x', choices: [], usage: CHAT } })?.meters, meters);
  const events = [{ choices: [], usage: null }, { choices: [], usage: CHAT }, { choices: [] }];
  assert.deepEqual(read('openai.chat.stream', { events })?.meters, meters);
  assert.deepEqual(read('openai.chat.stream', { events: [{ x_groq: { usage: CHAT } }] })?.meters, meters);
});

test('the tier and the cost of the answer come from around its usage', () => {
  const usage = read('openai.chat', {
    usage: CHAT,
    quirks: { ...NO_QUIRKS, reportedCostHeader: 'x-litellm-response-cost' },
    context: { response_service_tier: 'flex', headers: { 'X-LiteLLM-Response-Cost': '2.85e-05' } },
  });
  assert.deepEqual([usage?.serviceTier, usage?.reportedCost], ['flex', '2.85e-05']);
  assert.equal(
    read('openai.chat.stream', { events: [{ usage: CHAT, service_tier: 'priority' }] })?.serviceTier,
    'priority',
  );
});

test('searches and images of a Responses answer are read beside its tokens', () => {
  const tokens = { input_tokens: 100, output_tokens: 10, total_tokens: 110 };
  const meters = { input: 100, output_text: 10, web_search: 2 };
  const tools = { web_search: { num_requests: 2 } };
  assert.deepEqual(read('openai.responses', { usage: tokens, context: { tool_usage: tools } })?.meters, meters);
  const search = { type: 'web_search_call', status: 'completed', action: { type: 'search' } };
  const offered = { type: 'web_search_call', status: 'completed', action: { type: 'open_page' } };
  const output = [search, offered, search];
  assert.deepEqual(read('openai.responses', { usage: tokens, context: { output } })?.meters, meters);
  const events = [
    { type: 'response.created', response: { output: [] } },
    { type: 'response.completed', response: { output, usage: tokens } },
  ];
  assert.deepEqual(read('openai.responses.stream', { events })?.meters, meters);
  const drawn = { input_tokens: 5, input_tokens_details: { text_tokens: 5, image_tokens: 0 }, output_tokens: 7 };
  const withImage = read('openai.responses', {
    usage: tokens,
    context: { tool_usage: { image_gen: drawn }, tools: [{ type: 'image_generation', model: 'gpt-image-2' }] },
  });
  assert.deepEqual(withImage?.others, [
    { model: 'gpt-image-2', meters: { input: 5, input_image: 0, output_image: 7 } },
  ]);
  const absurd = read('openai.responses', {
    usage: tokens,
    context: { tool_usage: { web_search: { num_requests: -1 } } },
  });
  assert.equal(absurd?.inconsistent, true);
});

test('what the request decided is read where the answer says nothing', () => {
  assert.deepEqual(read('openai.speech', { usage: {}, context: { input_characters: 437 } })?.meters, {
    input_characters: 437,
  });
  assert.deepEqual(read('openai.images', { usage: null, context: { n: 3 } })?.meters, { image: 3 });
  assert.deepEqual(read('openai.transcription', { usage: null, context: { duration: 47.5 } })?.meters, {
    audio_seconds: 47.5,
  });
});

test('a realtime answer is split by modality and cache, and flagged where it cannot be', () => {
  const usage = {
    total_tokens: 1500,
    input_tokens: 1000,
    output_tokens: 500,
    input_token_details: {
      text_tokens: 150,
      audio_tokens: 800,
      image_tokens: 50,
      cached_tokens: 600,
      cached_tokens_details: { text_tokens: 100, audio_tokens: 480, image_tokens: 20 },
    },
    output_token_details: { text_tokens: 100, audio_tokens: 400 },
  };
  const split = read('openai.realtime', { usage });
  assert.deepEqual(
    [split?.meters, split?.inconsistent],
    [
      {
        input: 50,
        input_audio: 320,
        input_image: 30,
        cache_read: 100,
        cache_read_audio: 480,
        cache_read_image: 20,
        output_text: 100,
        output_audio: 400,
      },
      undefined,
    ],
  );
  const blurred = { ...usage, input_token_details: { text_tokens: 200, audio_tokens: 800, cached_tokens: 100 } };
  const flagged = read('openai.realtime', { events: [{ type: 'response.done', response: { usage: blurred } }] });
  assert.deepEqual([flagged?.meters.input, flagged?.meters.cache_read, flagged?.inconsistent], [100, 100, true]);
});

test('Bedrock counts by the family of its model', () => {
  const usage = { inputTokens: 100, outputTokens: 5, totalTokens: 145, cacheReadInputTokens: 40 };
  assert.equal(read('bedrock.converse', { usage, model: 'us.anthropic.claude-sonnet-4-5' })?.meters.input, 100);
  assert.equal(read('bedrock.converse', { usage, model: 'openai.gpt-5.6' })?.meters.input, 60);
});
