import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import { cohereChat, NO_QUIRKS, openAiChat, type AnswerContext } from '#wires';
import { translated } from '../index.ts';
import { bodyOf } from '../recorded.fixture.ts';

const MODEL = 'command-a-03-2025';
const wire = translated(openAiChat, { target: cohereChat, spoken: cohereChat, model: MODEL });

function sent(fields: object): unknown {
  const edit = { model: MODEL, askUsage: false, drop: new Set<string>(), metadata: { action: 'keep' } } as const;
  return JSON.parse(wire.writeRequest(bodyOf({ model: 'm', ...fields }), edit).toString('utf8'));
}

const HELLO = [{ role: 'user', content: 'hello' }];
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

test('a chat with tools and an image is a chat of Cohere’s', () => {
  const body = sent({
    max_completion_tokens: 90,
    temperature: 0.5,
    top_p: 0.9,
    stop: 'END',
    seed: 7,
    reasoning_effort: 'low',
    tools: [{ type: 'function', function: { name: 'weather', parameters: SCHEMA } }],
    tool_choice: 'required',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Where is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
        ],
      },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
    ],
  });
  assert.deepEqual(body, {
    model: MODEL,
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Where is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
        ],
      },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
    ],
    tools: [{ type: 'function', function: { name: 'weather', parameters: SCHEMA } }],
    tool_choice: 'REQUIRED',
    max_tokens: 90,
    temperature: 0.5,
    p: 0.9,
    stop_sequences: ['END'],
    seed: 7,
    thinking: { type: 'enabled', token_budget: 1024 },
  });
});

test('JSON is asked for by Cohere’s word, with the schema', () => {
  const response_format = { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA } };
  assert.partialDeepStrictEqual(sent({ messages: HELLO, response_format }), {
    response_format: { type: 'json_object', json_schema: SCHEMA },
  });
});

test('what Cohere has no word for is refused by its name', () => {
  const param = (fields: object): string | null => {
    try {
      sent({ messages: HELLO, ...fields });
    } catch (error) {
      assert.ok(error instanceof ApportionError && error.code === 'invalid_field');
      return error.param;
    }
    return null;
  };
  assert.equal(param({ n: 2 }), 'n');
  assert.equal(param({ logprobs: true }), 'logprobs');
  assert.equal(param({ service_tier: 'flex' }), 'service_tier');
});

const CONTEXT: AnswerContext = {
  request: {
    model: 'command',
    stream: true,
    wantsUsage: true,
    maxOutputTokens: null,
    choices: 1,
    maxInputTokens: null,
  },
  quirks: NO_QUIRKS,
  headers: {},
};

const USAGE = { billed_units: { input_tokens: 5, output_tokens: 9 }, tokens: { input_tokens: 71, output_tokens: 11 } };

const EVENTS = [
  { type: 'message-start', id: 'an-id', delta: { message: { role: 'assistant', content: [] } } },
  { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I look it up.' } } },
  {
    type: 'tool-call-start',
    index: 0,
    delta: { message: { tool_calls: { id: 't1', type: 'function', function: { name: 'weather', arguments: '' } } } },
  },
  { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '{"city":' } } } } },
  { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '"Ö"}' } } } } },
  { type: 'tool-call-end', index: 0 },
  { type: 'message-end', delta: { finish_reason: 'TOOL_CALL', usage: USAGE } },
];

test('a stream cut at any byte is the same stream of the caller’s, with its calls and what was billed', () => {
  const bytes = Buffer.from(EVENTS.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(''));
  const shown = (pieces: readonly Buffer[]): string => {
    const meter = wire.meterStream(CONTEXT);
    const said = pieces.map((piece) => meter.push(piece)?.toString('utf8') ?? '');
    const closing = meter.closing({ usd: '0.25', state: 'exact' }).toString('utf8');
    assert.deepEqual({ ...meter.facts().usage?.meters }, { input: 5, output_text: 9 });
    return [...said, closing].join('');
  };
  const whole = shown([bytes]);
  for (const part of ['an-id', 't1', 'weather', '"finish_reason":"tool_calls"', '"prompt_tokens":5', '[DONE]'])
    assert.ok(whole.includes(part), part);
  for (let at = 1; at < bytes.length; at += 1) assert.equal(shown([bytes.subarray(0, at), bytes.subarray(at)]), whole);
});

test('an answer with a call is an answer of the caller’s', () => {
  const message = {
    role: 'assistant',
    tool_plan: 'I look it up.',
    tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
  };
  const bytes = Buffer.from(JSON.stringify({ id: 'an-id', finish_reason: 'TOOL_CALL', message, usage: USAGE }));
  const shown = wire.far?.words?.showAnswer({ bytes, status: 200, context: CONTEXT }).toString('utf8') ?? '';
  assert.partialDeepStrictEqual(JSON.parse(shown), {
    id: 'an-id',
    model: 'command',
    choices: [
      {
        finish_reason: 'tool_calls',
        message: { tool_calls: [{ id: 't1', function: { name: 'weather', arguments: '{}' } }] },
      },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 9 },
  });
});
