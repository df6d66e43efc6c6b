import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { NO_QUIRKS, NO_TARGET, type RequestBody, type RequestEdit } from '../wire.ts';
import { readChatRequest, readCompletionRequest, readEmbeddingRequest, requestText } from './request.ts';
import { openAiChatUsage } from './usage.ts';
import { writeChatRequest, writeRequest } from './write-request.ts';

function bodyOf(text: string): RequestBody {
  const bytes = Buffer.from(text);
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target: NO_TARGET };
}

function edit(changes: Partial<RequestEdit>): RequestEdit {
  return {
    model: 'gpt-4o',
    askUsage: false,
    drop: new Set(['tags', 'entity_type', 'entity_id']),
    metadata: { action: 'keep' },
    ...changes,
  };
}

function written(text: string, changes: Partial<RequestEdit>): string {
  return writeRequest(bodyOf(text), edit(changes)).toString();
}

test('members that need no change are forwarded byte for byte', () => {
  const odd = '{"temperature":0.10,"messages":[ {"role":"user","content":"\\u00e9 1.0"} ],"model":"gpt-4o","seed":1e2}';
  assert.equal(written(odd, {}), odd);
});

test('our fields are left out wherever they stand', () => {
  assert.equal(
    written('{"tags":{"a":"b"},"model":"openai/gpt-4o","entity_type":"customer","messages":[],"entity_id":"acme"}', {}),
    '{"model":"gpt-4o","messages":[]}',
  );
});

test('a stream is asked for its usage, and other stream options stay', () => {
  assert.equal(
    written('{"model":"m","stream":true}', { askUsage: true }),
    '{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}',
  );
  assert.equal(
    written('{"model":"m","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}', {
      askUsage: true,
    }),
    '{"model":"gpt-4o","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}}',
  );
  assert.equal(
    written('{"model":"m","stream":true,"stream_options":null}', { askUsage: true }),
    '{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}',
  );
});

test('what is left of metadata goes on, and an empty rest is dropped', () => {
  assert.equal(
    written('{"model":"m","metadata":{"tags":["a"],"k":"v"}}', { metadata: { action: 'replace', json: '{"k":"v"}' } }),
    '{"model":"gpt-4o","metadata":{"k":"v"}}',
  );
  assert.equal(
    written('{"model":"m","metadata":{"tags":["a"]}}', { metadata: { action: 'drop' } }),
    '{"model":"gpt-4o"}',
  );
});

test('the bound on input is the size of the request, and unknown when it refers to something elsewhere', () => {
  const text = '{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"n":2}';
  assert.deepEqual(readChatRequest(bodyOf(text)), {
    model: 'm',
    stream: false,
    wantsUsage: false,
    maxOutputTokens: 5,
    choices: 2,
    maxInputTokens: text.length + 1_000,
  });
  const image =
    '{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}';
  assert.equal(readChatRequest(bodyOf(image)).maxInputTokens, null);
});

for (const [text, param] of [
  ['{"messages":[]}', 'model'],
  ['{"model":7}', 'model'],
  ['{"model":"m","stream":"yes"}', 'stream'],
  ['{"model":"m","max_tokens":-1}', 'max_tokens'],
  ['{"model":"m","n":1.5}', 'n'],
  ['{"model":"m","stream_options":[]}', 'stream_options'],
] as const) {
  test(`${text} is refused, naming ${param}`, () => {
    assert.throws(
      () => readChatRequest(bodyOf(text)),
      (error: unknown) => error instanceof ApportionError && error.code === 'invalid_field' && error.param === param,
    );
  });
}

test('the text for an estimate is what people and tools wrote, not the data of an image', () => {
  const text =
    '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}';
  assert.match(requestText(bodyOf(text)), /look/);
  assert.doesNotMatch(requestText(bodyOf(text)), /AAAA/);
});

test('a completion is bounded by 16 tokens when it sets no limit, and every candidate of best_of counts', () => {
  const plain = readCompletionRequest(bodyOf('{"model":"m","prompt":"hi"}'));
  assert.deepEqual([plain.maxOutputTokens, plain.choices], [16, 1]);
  const many = readCompletionRequest(bodyOf('{"model":"m","prompt":["a","b"],"max_tokens":5,"n":2,"best_of":3}'));
  assert.deepEqual([many.maxOutputTokens, many.choices], [5, 6]);
  assert.equal(readCompletionRequest(bodyOf('{"model":"m","prompt":[1,2,3]}')).choices, 1);
});

test('an embedding has no output, and its text is its input', () => {
  const body = bodyOf('{"model":"m","input":["one","two"]}');
  assert.equal(readEmbeddingRequest(body).maxOutputTokens, 0);
  assert.equal(requestText(body), 'one\ntwo');
});

test('a model that searches for every answer owes a search for each, which no answer counts', () => {
  const asked = readChatRequest(bodyOf('{"model":"gpt-4o-search-preview","messages":[]}'));
  assert.deepEqual([asked.meters, asked.maxInputTokens], [{ web_search: 1 }, null]);
  const usage = openAiChatUsage(
    { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    { quirks: NO_QUIRKS, ...(asked.meters === undefined ? {} : { request: asked.meters }) },
  );
  assert.deepEqual(usage?.meters, { input: 5, output_text: 2, web_search: 1 });
});

test('a server that knows one limit gets it by that name, whatever the caller or a budget calls it', () => {
  const chat = (text: string, changes: Partial<RequestEdit>) =>
    writeChatRequest(bodyOf(text), edit({ model: 'm', limitField: 'max_tokens', ...changes })).toString();
  const clamp = { outputLimit: { tokens: 16, names: ['max_completion_tokens'] } };
  assert.equal(chat('{"model":"m","max_completion_tokens":20}', {}), '{"model":"m","max_tokens":20}');
  assert.equal(chat('{"model":"m","max_completion_tokens":20}', clamp), '{"model":"m","max_tokens":16}');
  assert.equal(chat('{"model":"m"}', clamp), '{"model":"m","max_tokens":16}');
  const plain = '{"model":"m","max_tokens":20}';
  assert.equal(chat(plain, {}), plain);
  assert.equal(chat('{"model":"m"}', {}), '{"model":"m"}');
});

test('the bound counts the larger of two limits, as a server may read either', () => {
  assert.equal(readChatRequest(bodyOf('{"model":"m","max_tokens":90,"max_completion_tokens":20}')).maxOutputTokens, 90);
});
