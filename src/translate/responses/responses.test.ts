import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { anthropicMessages, NO_QUIRKS, NO_TARGET, openAiResponses, type AnswerContext, type RequestBody } from '#wires';
import { targetsOf, translated } from '../index.ts';

const MODEL = 'claude-sonnet-4-6';

const toAnthropic = translated(openAiResponses, {
  target: anthropicMessages,
  spoken: anthropicMessages,
  model: MODEL,
});

function bodyOf(fields: object): RequestBody {
  const bytes = Buffer.from(JSON.stringify(fields));
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target: NO_TARGET };
}

function sent(fields: object): Readonly<Record<string, unknown>> {
  const edit = { model: MODEL, askUsage: false, drop: new Set<string>(), metadata: { action: 'keep' } } as const;
  return JSON.parse(toAnthropic.writeRequest(bodyOf({ model: MODEL, ...fields }), edit).toString());
}

function contextOf(fields: object): AnswerContext {
  const request = toAnthropic.readRequest(bodyOf({ model: MODEL, input: 'hi', ...fields }));
  return { request, quirks: NO_QUIRKS, headers: { date: 'Sat, 21 Nov 2026 10:00:00 GMT' } };
}

/** The official client, reading these bytes. */
function clientReading(bytes: Buffer, type: string): OpenAI {
  return new OpenAI({
    apiKey: 'k',
    fetch: async () => new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }),
  });
}

const USAGE = { input_tokens: 10, cache_read_input_tokens: 30, cache_creation_input_tokens: 0, output_tokens: 25 };

const ANSWER = {
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: MODEL,
  content: [
    { type: 'thinking', thinking: 'They want two places.', signature: 'c2lnbmVk' },
    { type: 'redacted_thinking', data: 'aGlkZGVu' },
    { type: 'text', text: 'Looking at both.' },
    { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Oslo' } },
    { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Rome' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: USAGE,
};

const TOOL = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false };

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function block(index: number, content: object, deltas: readonly object[]): string {
  return [
    event('content_block_start', { index, content_block: content }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ].join('');
}

function useOf(index: number, { id, city }: { readonly id: string; readonly city: string }): string {
  const use = { type: 'tool_use', id, name: 'weather', input: {} };
  const pieces = ['{"city":', `"${city}"}`].map((text) => ({ type: 'input_json_delta', partial_json: text }));
  return block(index, use, pieces);
}

const STREAM = [
  event('message_start', {
    message: { ...ANSWER, content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
  }),
  block(0, { type: 'thinking', thinking: '', signature: '' }, [
    { type: 'thinking_delta', thinking: 'They want ' },
    { type: 'thinking_delta', thinking: 'two places.' },
    { type: 'signature_delta', signature: 'c2lnbmVk' },
  ]),
  block(1, { type: 'redacted_thinking', data: 'aGlkZGVu' }, []),
  block(2, { type: 'text', text: '' }, [
    { type: 'text_delta', text: 'Looking ' },
    { type: 'text_delta', text: 'at both.' },
  ]),
  useOf(3, { id: 'toolu_1', city: 'Oslo' }),
  useOf(4, { id: 'toolu_2', city: 'Rome' }),
  event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: USAGE }),
  event('message_stop', {}),
].join('');

function streamed(chunks: readonly Buffer[]): Buffer {
  const meter = toAnthropic.meterStream(contextOf({ stream: true }));
  const shown = chunks.map((chunk) => meter.push(chunk) ?? Buffer.alloc(0));
  return Buffer.concat([...shown, meter.closing({ usd: '0.000414', state: 'exact' })]);
}

test('Responses are put into chats where there are no others, else into Anthropic’s, Gemini’s, Bedrock’s and Cohere’s words', () => {
  assert.deepEqual(
    targetsOf(openAiResponses).map(({ name }) => name),
    ['openai.chat', 'anthropic.messages', 'gemini.generateContent', 'bedrock.converse', 'cohere.chat'],
  );
});

test('a conversation of items is one of turns, with its instructions, images and results', () => {
  const written = sent({
    instructions: 'Be brief.',
    max_output_tokens: 200,
    store: true,
    input: [
      { role: 'developer', content: 'In English.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look:' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
        ],
      },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
    ],
    tools: [TOOL],
    tool_choice: { type: 'function', name: 'weather' },
  });
  assert.deepEqual(written['messages'], [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Oslo' } }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'rain' }],
    },
  ]);
  assert.equal(written['max_tokens'], 200);
  assert.deepEqual(written['tool_choice'], { type: 'tool', name: 'weather' });
  assert.match(JSON.stringify(written['system']), /Be brief\..*In English\./);
});

test('what only OpenAI has is refused by the name of its field', () => {
  const refusals: readonly (readonly [object, string])[] = [
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ background: true }, 'background'],
    [{ truncation: 'auto' }, 'truncation'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0]'],
    [{ input: [{ type: 'item_reference', id: 'rs_1' }] }, 'input[0]'],
    [{ input: [{ type: 'computer_call', id: 'cu_1' }] }, 'input[0]'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }] },
      'input[0].content[0].file_id',
    ],
    [{ input: [{ type: 'function_call_output', call_id: 'call_9', output: '' }] }, 'input[0].call_id'],
    [{ text: { format: { type: 'grammar' } } }, 'text.format.type'],
    [{ reasoning: { mode: 'pro' } }, 'reasoning.mode'],
    [{ surprise: 1 }, 'surprise'],
  ];
  for (const [fields, param] of refusals)
    assert.throws(
      () => sent({ input: 'hi', ...fields }),
      (error) => error instanceof ApportionError && error.code === 'invalid_field' && error.param === param,
      param,
    );
});

test('the official client reads an answer with its reasoning, calls and usage', async () => {
  const context = contextOf({});
  const bytes = Buffer.from(JSON.stringify(ANSWER));
  const shown = toAnthropic.far?.words?.showAnswer({ bytes, status: 200, context }) ?? bytes;
  const response = await clientReading(shown, 'application/json').responses.create({ model: MODEL, input: 'hi' });
  assert.equal(response.output_text, 'Looking at both.');
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['reasoning', 'reasoning', 'message', 'function_call', 'function_call'],
  );
  assert.deepEqual(response.usage, {
    input_tokens: 40,
    input_tokens_details: { cached_tokens: 30, cache_write_tokens: 0 },
    output_tokens: 25,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 65,
  });
  assert.equal(response.created_at, Date.parse('2026-11-21T10:00:00Z') / 1000);
});

test('the official client puts a stream together into the same answer, wherever it is cut', async () => {
  const bytes = Buffer.from(STREAM);
  const whole = streamed([bytes]);
  const final = await clientReading(whole, 'text/event-stream')
    .responses.stream({ model: MODEL, input: 'hi' })
    .finalResponse();
  const context = contextOf({});
  const answer = Buffer.from(JSON.stringify(ANSWER));
  const unstreamed = JSON.parse(String(toAnthropic.far?.words?.showAnswer({ bytes: answer, status: 200, context })));
  assert.deepEqual(JSON.parse(JSON.stringify(final.output, dropParsed)), unstreamed.output);
  assert.deepEqual(final.usage, unstreamed.usage);
  assert.match(whole.toString(), /: apportion-cost 0\.000414 exact\n\nevent: response\.completed\n/);
  for (let at = 1; at < bytes.length; at += 1)
    assert.ok(streamed([bytes.subarray(0, at), bytes.subarray(at)]).equals(whole), `cut at ${at}`);
});

/** The client's helper adds what it parsed. */
function dropParsed(key: string, value: unknown): unknown {
  return key === 'parsed' || key === 'parsed_arguments' ? undefined : value;
}

test('an answer’s items come back in the next request as they were, seals included', async () => {
  const context = contextOf({});
  const answer = Buffer.from(JSON.stringify(ANSWER));
  const { output } = JSON.parse(String(toAnthropic.far?.words?.showAnswer({ bytes: answer, status: 200, context })));
  const results = ['toolu_1', 'toolu_2'].map((id) => ({ type: 'function_call_output', call_id: id, output: 'rain' }));
  const { messages } = sent({ input: [{ role: 'user', content: 'Where?' }, ...output, ...results], tools: [TOOL] });
  assert.ok(Array.isArray(messages));
  assert.deepEqual(messages[1], { role: 'assistant', content: ANSWER.content });
});

test('a stream that was cut has no last event, and an error in it is one', () => {
  const cut = streamed([Buffer.from(STREAM.slice(0, STREAM.indexOf('event: message_delta')))]).toString();
  assert.doesNotMatch(cut, /response\.(?:completed|incomplete)/);
  const failed = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
  const shown = streamed([
    Buffer.from(STREAM.slice(0, STREAM.indexOf('event: content_block_stop')) + failed),
  ]).toString();
  assert.match(
    shown,
    /event: error\ndata: \{"type":"error","sequence_number":\d+,"code":"overloaded_error","message":"Overloaded"/,
  );
  assert.doesNotMatch(shown, /response\.completed/);
});
