import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError } from '#terms';
import {
  anthropicMessages,
  bedrockConverse,
  NO_QUIRKS,
  openAiChat,
  writeFrame,
  type AnswerContext,
  type Wire,
} from '#wires';
import { translated } from '../index.ts';
import { bodyOf } from '../recorded.fixture.ts';

const NOVA = 'us.amazon.nova-2-lite-v1:0';

function wireFor(wire: Wire, model = NOVA): Wire {
  return translated(wire, { target: bedrockConverse, spoken: bedrockConverse, model });
}

/** The body that Bedrock is sent. */
function sent(wire: Wire, fields: object, model = NOVA): unknown {
  const edit = { model, askUsage: false, drop: new Set<string>(), metadata: { action: 'keep' } } as const;
  return JSON.parse(wireFor(wire, model).writeRequest(bodyOf(fields), edit).toString('utf8'));
}

function refused(fields: object, model = NOVA): string | null {
  const chat = { model: 'm', messages: [{ role: 'user', content: 'hello' }], ...fields };
  try {
    sent(openAiChat, chat, model);
  } catch (error) {
    assert.ok(error instanceof ApportionError && error.code === 'invalid_field');
    return error.param;
  }
  return null;
}

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

test('a chat with tools, an image, a document and settings is one conversation of Bedrock’s', () => {
  const body = sent(openAiChat, {
    model: 'm',
    max_completion_tokens: 90,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['END'],
    reasoning_effort: 'low',
    service_tier: 'flex',
    tools: [{ type: 'function', function: { name: 'weather', description: 'Tells it.', parameters: SCHEMA } }],
    tool_choice: 'required',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Where is this?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          { type: 'file', file: { filename: 'a_plan.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
        ],
      },
      {
        role: 'assistant',
        tool_calls: [{ id: 'call:1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'call:1', content: 'rain' },
    ],
  });
  assert.deepEqual(body, {
    system: [{ text: 'Be brief.' }],
    messages: [
      {
        role: 'user',
        content: [
          { text: 'Where is this?' },
          { image: { format: 'png', source: { bytes: 'aGk=' } } },
          { document: { name: 'a plan', format: 'pdf', source: { bytes: 'aGk=' } } },
        ],
      },
      { role: 'assistant', content: [{ toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Oslo' } } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'call_1', content: [{ text: 'rain' }] } }] },
    ],
    inferenceConfig: { maxTokens: 90, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
    toolConfig: {
      tools: [{ toolSpec: { name: 'weather', description: 'Tells it.', inputSchema: { json: SCHEMA } } }],
      toolChoice: { any: {} },
    },
    additionalModelRequestFields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'low' } },
    serviceTier: { type: 'flex' },
  });
});

test('marks for the cache become points behind what is to be kept', () => {
  const cache_control = { type: 'ephemeral', ttl: '1h' };
  const body = sent(anthropicMessages, {
    model: 'm',
    max_tokens: 9,
    system: [{ type: 'text', text: 'Long.', cache_control }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', cache_control: { type: 'ephemeral' } }] }],
  });
  assert.deepEqual(body, {
    system: [{ text: 'Long.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
    messages: [{ role: 'user', content: [{ text: 'hello' }, { cachePoint: { type: 'default' } }] }],
    inferenceConfig: { maxTokens: 9 },
  });
});

test('an answer by a schema is asked for in Bedrock’s output format', () => {
  const json_schema = { name: 'place', schema: SCHEMA };
  const body = sent(openAiChat, {
    model: 'm',
    messages: [{ role: 'user', content: 'hello' }],
    response_format: { type: 'json_schema', json_schema },
  });
  const schema = JSON.stringify({ ...SCHEMA, additionalProperties: false });
  assert.partialDeepStrictEqual(body, {
    outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema: { schema, name: 'place' } } } },
  });
});

test('thoughts that a model of Bedrock’s signed go back as they came; those of others are left out', () => {
  const said = (signature: string) =>
    sent(anthropicMessages, {
      model: 'm',
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'hello' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature },
            { type: 'text', text: 'Hi.' },
          ],
        },
        { role: 'user', content: 'and?' },
      ],
    });
  const thought = { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } };
  assert.partialDeepStrictEqual(said('bedrock.c2ln'), { messages: [{}, { content: [thought, { text: 'Hi.' }] }, {}] });
  assert.partialDeepStrictEqual(said('c2ln'), { messages: [{}, { content: [{ text: 'Hi.' }] }, {}] });
});

test('what Bedrock has no word for is refused by its name', () => {
  assert.equal(refused({ seed: 1 }), 'seed');
  assert.equal(refused({ n: 2 }), 'n');
  assert.equal(refused({ logprobs: true }), 'logprobs');
  assert.equal(refused({ frequency_penalty: 1 }), 'frequency_penalty');
  assert.equal(refused({ temperature: 1.5 }), 'temperature');
  assert.equal(refused({ response_format: { type: 'json_object' } }), 'response_format');
  const image_url = { url: 'https://example.com/a.png' };
  const messages = [{ role: 'user', content: [{ type: 'image_url', image_url }] }];
  assert.match(refused({ messages }) ?? '', /^messages\[0\]\.content\[0\]/);
});

const CONTEXT: AnswerContext = {
  request: { model: 'nova', stream: false, wantsUsage: true, maxOutputTokens: null, choices: 1, maxInputTokens: null },
  quirks: NO_QUIRKS,
  headers: { 'x-amzn-requestid': 'a-request' },
  model: NOVA,
};

test('an answer with thoughts and a call is an answer of the caller’s, with the usage that was billed', () => {
  const answer = {
    output: {
      message: {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
          { text: 'Let me look.' },
          { toolUse: { toolUseId: 't1', name: 'weather', input: { city: 'Oslo' } } },
        ],
      },
    },
    stopReason: 'tool_use',
    usage: { inputTokens: 12, outputTokens: 7, totalTokens: 49, cacheReadInputTokens: 30 },
  };
  const wire = wireFor(openAiChat);
  const bytes = Buffer.from(JSON.stringify(answer));
  const shown: unknown = JSON.parse(
    wire.far?.words?.showAnswer({ bytes, status: 200, context: CONTEXT }).toString('utf8') ?? '',
  );
  assert.partialDeepStrictEqual(shown, {
    id: 'a-request',
    model: 'nova',
    choices: [
      {
        finish_reason: 'tool_calls',
        message: {
          content: 'Let me look.',
          tool_calls: [{ id: 't1', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
        },
      },
    ],
    usage: { prompt_tokens: 42, completion_tokens: 7, total_tokens: 49, prompt_tokens_details: { cached_tokens: 30 } },
  });
  assert.deepEqual(wire.readAnswer(bytes, CONTEXT), bedrockConverse.readAnswer(bytes, CONTEXT));
});

test('an error of Bedrock’s is one of the caller’s', () => {
  const bytes = Buffer.from('{"message":"Too many requests."}');
  const shown: unknown = JSON.parse(
    wireFor(openAiChat).far?.words?.showAnswer({ bytes, status: 429, context: CONTEXT }).toString('utf8') ?? '',
  );
  assert.partialDeepStrictEqual(shown, { error: { message: 'Too many requests.' } });
});

const STREAM = Buffer.concat([
  writeFrame('event', 'messageStart', { role: 'assistant' }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'Hm.' } } }),
  writeFrame('event', 'contentBlockDelta', {
    contentBlockIndex: 0,
    delta: { reasoningContent: { signature: 'c2ln' } },
  }),
  writeFrame('event', 'contentBlockStop', { contentBlockIndex: 0 }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'naïve 分' } }),
  writeFrame('event', 'contentBlockStop', { contentBlockIndex: 1 }),
  writeFrame('event', 'contentBlockStart', {
    contentBlockIndex: 2,
    start: { toolUse: { toolUseId: 't1', name: 'find' } },
  }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: '{"q":' } } }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 2, delta: { toolUse: { input: '"Ö"}' } } }),
  writeFrame('event', 'contentBlockStop', { contentBlockIndex: 2 }),
  writeFrame('event', 'contentBlockStart', {
    contentBlockIndex: 3,
    start: { toolUse: { toolUseId: 't2', name: 'now' } },
  }),
  writeFrame('event', 'contentBlockStop', { contentBlockIndex: 3 }),
  writeFrame('event', 'messageStop', { stopReason: 'tool_use' }),
  writeFrame('event', 'metadata', { usage: { inputTokens: 12, outputTokens: 7, totalTokens: 19 } }),
]);

test('frames cut at any byte are the same stream of the caller’s, with calls, thoughts and usage', () => {
  const context = { ...CONTEXT, request: { ...CONTEXT.request, stream: true } };
  const shown = (wire: Wire, pieces: readonly Buffer[]): string => {
    const meter = wireFor(wire).meterStream(context);
    const said = pieces.map((piece) => meter.push(piece)?.toString('utf8') ?? '');
    return [...said, meter.closing({ usd: '0.25', state: 'exact' }).toString('utf8')].join('');
  };
  for (const wire of [openAiChat, anthropicMessages]) {
    const whole = shown(wire, [STREAM]);
    for (const part of ['Hm.', 'naïve 分', 't1', 'find', 't2', 'now']) assert.ok(whole.includes(part), part);
    for (let at = 1; at < STREAM.length; at += 1)
      assert.equal(shown(wire, [STREAM.subarray(0, at), STREAM.subarray(at)]), whole);
  }
  assert.match(shown(anthropicMessages, [STREAM]), /"signature":"bedrock\.c2ln"/);
});
