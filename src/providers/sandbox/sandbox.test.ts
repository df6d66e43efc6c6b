import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeInSandbox } from './completion.ts';
import { embedInSandbox } from './embedding.ts';

const ASKED = { model: 'sandbox-mini', messages: [{ role: 'user', text: 'Hello' }], maxTokens: null, choices: 1 };

test('the same request gets the same text and usage', () => {
  assert.deepEqual(completeInSandbox(ASKED), completeInSandbox(ASKED));
});

test('usage adds up, and a limit on tokens cuts the answer', () => {
  const cut = completeInSandbox({ ...ASKED, maxTokens: 5, choices: 2 });
  assert.deepEqual([cut.tokens.length, cut.finishReason, cut.usage.completion_tokens], [5, 'length', 10]);
  assert.equal(cut.usage.total_tokens, cut.usage.prompt_tokens + cut.usage.completion_tokens);
});

test('a long prompt is cached in part, a reasoner thinks within its completion', () => {
  const long = { ...ASKED, model: 'sandbox-reasoner', messages: [{ role: 'user', text: 'x'.repeat(8_000) }] };
  const { usage } = completeInSandbox(long);
  assert.equal(usage.prompt_tokens_details.cached_tokens % 128, 0);
  assert.ok(usage.prompt_tokens_details.cached_tokens > 0);
  assert.ok(usage.completion_tokens_details.reasoning_tokens < usage.completion_tokens);
});

test('an embedding is a vector of length one, the same as numbers and as base64', () => {
  const read = (format: string): unknown =>
    embedInSandbox({ model: 'sandbox-embedding', input: ['a', 'b'], dimensions: 10, encoding_format: format });
  const numbers = read('float');
  assert.ok(typeof numbers === 'object' && numbers !== null && 'data' in numbers && Array.isArray(numbers.data));
  const vector: number[] = numbers.data[1].embedding;
  assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  const packed = read('base64');
  assert.ok(typeof packed === 'object' && packed !== null && 'data' in packed && Array.isArray(packed.data));
  const bytes = Buffer.from(packed.data[1].embedding, 'base64');
  assert.deepEqual(Array.from(new Float32Array(new Uint8Array(bytes).buffer)), vector);
});

test('a body without input is not embedded', () => {
  assert.equal(embedInSandbox({ model: 'sandbox-embedding' }), undefined);
});
