import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS, type AnswerContext } from '../wire.ts';
import { readCountAnswer, readMessageAnswer } from './answer.ts';

const CONTEXT: AnswerContext = {
  request: { model: 'm', stream: false, wantsUsage: true, maxOutputTokens: 1, choices: 1, maxInputTokens: 1 },
  quirks: NO_QUIRKS,
  headers: {},
};

function read(answer: unknown, context = CONTEXT): ReturnType<typeof readMessageAnswer> {
  return readMessageAnswer(Buffer.from(JSON.stringify(answer)), context);
}

const CONTENT = [
  { type: 'thinking', thinking: 'hmm ', signature: 'sig' },
  { type: 'text', text: 'Hi' },
  { type: 'tool_use', id: 't', name: 'look', input: { q: 1 } },
  { type: 'web_search_tool_result', content: [{ title: 'found' }] },
];

test('an answer gives its id, its model and its usage', () => {
  const usage = { input_tokens: 5, output_tokens: 6 };
  assert.deepEqual(read({ id: 'msg_1', type: 'message', model: 'claude', content: CONTENT, usage }), {
    id: 'msg_1',
    model: 'claude',
    usage: { meters: { input: 5, output_text: 6 }, origin: 'reported', raw: JSON.stringify(usage) },
    usageComplete: true,
    outputText: '',
    outputCharsBeyond: 0,
    failed: false,
  });
});

test('without usage an answer gives what the model wrote, and nothing that a server found', () => {
  const facts = read({ id: 'msg_1', content: CONTENT });
  assert.deepEqual([facts.usage, facts.usageComplete, facts.outputText], [null, false, 'hmm Hilook{"q":1}']);
});

test('an error is a failure, and what is no JSON says nothing', () => {
  assert.equal(read({ type: 'error', error: { type: 'api_error', message: 'no' } }).failed, true);
  const page = Buffer.from('<html>bad gateway</html>');
  const facts = readMessageAnswer(page, CONTEXT);
  assert.deepEqual([facts.usage, facts.outputCharsBeyond], [null, page.length]);
});

test('a cost that a proxy states in a header is kept', () => {
  const context = {
    ...CONTEXT,
    quirks: { ...NO_QUIRKS, reportedCostHeader: 'x-litellm-response-cost' },
    headers: { 'x-litellm-response-cost': '0.0125' },
  };
  assert.equal(read({ usage: { input_tokens: 5, output_tokens: 6 } }, context).usage?.reportedCost, '0.0125');
});

test('counting tokens uses nothing, which is known', () => {
  const facts = readCountAnswer(Buffer.from('{"input_tokens":2095}'), CONTEXT);
  assert.deepEqual([facts.usage?.meters, facts.usageComplete, facts.failed], [{}, true, false]);
});
