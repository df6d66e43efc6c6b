import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { ApportionError } from '#terms';
import { anthropicMessages, geminiGenerate, NO_TARGET, openAiChat, type RequestBody, type Wire } from '#wires';
import { bodyOf } from './recorded.fixture.ts';
import { translated } from './translated.ts';

type Asked = { readonly from: Wire; readonly to: Wire; readonly model: string };

const OPENAI_TO_CLAUDE: Asked = { from: openAiChat, to: anthropicMessages, model: 'claude-sonnet-4-5' };
const OPENAI_TO_GEMINI: Asked = { from: openAiChat, to: geminiGenerate, model: 'gemini-2.5-flash' };
const ANTHROPIC_TO_OPENAI: Asked = { from: anthropicMessages, to: openAiChat, model: 'gpt-5' };
const GEMINI_TO_OPENAI: Asked = { from: geminiGenerate, to: openAiChat, model: 'gpt-5' };
const GEMINI_TO_CLAUDE: Asked = { from: geminiGenerate, to: anthropicMessages, model: 'claude-opus-4-8' };

const user = (content: unknown) => [{ role: 'user', content }];
const PNG = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const FUNCTION = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } };

const SAID = {
  'openai.chat': { model: 'm', messages: user('hello') },
  'anthropic.messages': { model: 'm', max_tokens: 100, messages: user('hello') },
  'gemini.generateContent': { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
};

function bodyFor(from: Wire, extra: object): RequestBody {
  const said: object = Object.entries(SAID).find(([name]) => name === from.name)?.[1] ?? {};
  const target = { ...NO_TARGET, model: 'm', action: 'generateContent' };
  return bodyOf({ ...said, ...extra }, from === geminiGenerate ? target : NO_TARGET);
}

function write({ from, to, model }: Asked, extra: object): unknown {
  const body = bodyFor(from, extra);
  const wire = translated(from, { target: to, spoken: to, model });
  wire.readRequest(body);
  const edit = { model, askUsage: false, drop: new Set<string>(), metadata: { action: 'keep' } as const };
  return JSON.parse(wire.writeRequest(body, edit).toString('utf8'));
}

type Case = readonly [name: string, asked: Asked, extra: object, param: string];

const REFUSED: readonly Case[] = [
  ['an unknown field', OPENAI_TO_CLAUDE, { best_of: 2 }, 'best_of'],
  ['a token bias', OPENAI_TO_CLAUDE, { logit_bias: { '50256': -100 } }, 'logit_bias'],
  ['sound as an answer', OPENAI_TO_GEMINI, { modalities: ['text', 'audio'] }, 'modalities'],
  ['a web search', OPENAI_TO_CLAUDE, { web_search_options: {} }, 'web_search_options'],
  ['several answers', OPENAI_TO_CLAUDE, { n: 2 }, 'n'],
  ['a seed', OPENAI_TO_CLAUDE, { seed: 7 }, 'seed'],
  ['a penalty', OPENAI_TO_CLAUDE, { presence_penalty: 0.5 }, 'presence_penalty'],
  ['likelihoods', OPENAI_TO_CLAUDE, { logprobs: true }, 'logprobs'],
  ['a temperature above one', OPENAI_TO_CLAUDE, { temperature: 1.5 }, 'temperature'],
  ['a verbosity', OPENAI_TO_CLAUDE, { verbosity: 'low' }, 'verbosity'],
  ['a tier that is not sold', OPENAI_TO_CLAUDE, { service_tier: 'flex' }, 'service_tier'],
  ['a limit below the least thinking', OPENAI_TO_CLAUDE, { reasoning_effort: 'low', max_tokens: 500 }, 'max_tokens'],
  ['a sampling setting', { ...OPENAI_TO_CLAUDE, model: 'claude-opus-5' }, { top_p: 0.5 }, 'top_p'],
  ['no thinking', { ...OPENAI_TO_CLAUDE, model: 'claude-opus-5-5' }, { reasoning_effort: 'none' }, 'reasoning_effort'],
  [
    'JSON beside tools where there is no format',
    { ...OPENAI_TO_CLAUDE, model: 'claude-3-5-haiku-latest' },
    { response_format: { type: 'json_object' }, tools: [FUNCTION] },
    'response_format',
  ],
  [
    'a sound',
    OPENAI_TO_CLAUDE,
    { messages: user([{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }]) },
    'messages[0].content[0]',
  ],
  [
    'an uploaded file',
    OPENAI_TO_GEMINI,
    { messages: user([PNG, { type: 'file', file: { file_id: 'file-1' } }]) },
    'messages[0].content[1].file.file_id',
  ],
  ['a tool of OpenAI’s', OPENAI_TO_GEMINI, { tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0]'],
  ['one call at a time', OPENAI_TO_GEMINI, { tools: [FUNCTION], parallel_tool_calls: false }, 'parallel_tool_calls'],
  [
    'a named speaker',
    OPENAI_TO_GEMINI,
    { messages: [{ role: 'user', name: 'ann', content: 'x' }] },
    'messages[0].name',
  ],
  [
    'arguments that are no JSON',
    OPENAI_TO_CLAUDE,
    {
      messages: [
        ...user('x'),
        { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }] },
        { role: 'tool', tool_call_id: 'c', content: 'y' },
      ],
    },
    'messages[1].tool_calls[0]',
  ],
  [
    'a result without a call',
    OPENAI_TO_CLAUDE,
    { messages: [{ role: 'tool', tool_call_id: 'c', content: 'y' }] },
    'messages[0].tool_call_id',
  ],
  ['a choice among the likeliest', ANTHROPIC_TO_OPENAI, { top_k: 5 }, 'top_k'],
  ['a tool of Anthropic’s', ANTHROPIC_TO_OPENAI, { tools: [{ type: 'web_search_20250305', name: 'w' }] }, 'tools[0]'],
  ['a container', ANTHROPIC_TO_OPENAI, { container: 'c' }, 'container'],
  ['where it is processed', ANTHROPIC_TO_OPENAI, { inference_geo: 'us' }, 'inference_geo'],
  ['a speed', ANTHROPIC_TO_OPENAI, { speed: 'fast' }, 'speed'],
  [
    'cited documents',
    ANTHROPIC_TO_OPENAI,
    {
      messages: user([
        {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'x' },
          citations: { enabled: true },
        },
      ]),
    },
    'messages[0].content[0].citations',
  ],
  [
    'a document by its address',
    ANTHROPIC_TO_OPENAI,
    { messages: user([{ type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }]) },
    'messages[0].content[0]',
  ],
  ['a cache of Google’s', GEMINI_TO_OPENAI, { cachedContent: 'cachedContents/1' }, 'cachedContent'],
  ['a search of Google’s', GEMINI_TO_OPENAI, { tools: [{ googleSearch: {} }] }, 'tools[0].googleSearch'],
  [
    'a filter',
    GEMINI_TO_OPENAI,
    { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_LOW_AND_ABOVE' }] },
    'safetySettings[0]',
  ],
  [
    'an image as an answer',
    GEMINI_TO_OPENAI,
    { generationConfig: { responseModalities: ['IMAGE'] } },
    'generationConfig.responseModalities',
  ],
  ['a voice', GEMINI_TO_OPENAI, { generation_config: { speech_config: {} } }, 'generationConfig.speechConfig'],
  [
    'several candidates',
    GEMINI_TO_CLAUDE,
    { generationConfig: { candidateCount: 2 } },
    'generationConfig.candidateCount',
  ],
  [
    'a file that Google has',
    GEMINI_TO_CLAUDE,
    { contents: [{ parts: [{ fileData: { mimeType: 'application/pdf', fileUri: 'gs://b/a.pdf' } }] }] },
    'contents[0].parts[0].fileData.fileUri',
  ],
];

describe('what the other dialect cannot say is refused by its name, before anything is sent', () => {
  for (const [name, asked, extra, param] of REFUSED)
    test(`${asked.from.dialect} → ${asked.model}: ${name}`, () => {
      assert.throws(
        () => write(asked, extra),
        (error) => {
          assert.ok(error instanceof ApportionError);
          assert.deepEqual([error.code, error.status, error.param], ['invalid_field', 400, param]);
          return true;
        },
      );
    });
});

type Written = readonly [name: string, asked: Asked, extra: object, written: object];

const MESSAGES = { messages: [{ role: 'user', content: 'hello' }] };
const HELLO = { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] };

const LEFT: readonly Written[] = [
  [
    'where it is kept and how it is filed, and what is asked for anyway',
    OPENAI_TO_CLAUDE,
    {
      store: false,
      metadata: { a: 'b' },
      prompt_cache_key: 'k',
      n: 1,
      presence_penalty: 0,
      logprobs: false,
      temperature: 1,
      tags: ['feature:x'],
      max_tokens: 5,
    },
    { model: 'claude-sonnet-4-5', max_tokens: 5, ...MESSAGES },
  ],
  [
    'no limit: the model’s own, up to 32,000',
    OPENAI_TO_CLAUDE,
    {},
    { model: 'claude-sonnet-4-5', max_tokens: 32_000, ...MESSAGES },
  ],
  [
    'the end user',
    OPENAI_TO_CLAUDE,
    { user: 'u-1', max_completion_tokens: 5 },
    { model: 'claude-sonnet-4-5', max_tokens: 5, ...MESSAGES, metadata: { user_id: 'u-1' } },
  ],
  [
    'any JSON, by a tool that must be called',
    OPENAI_TO_CLAUDE,
    { max_tokens: 5, response_format: { type: 'json_object' } },
    {
      model: 'claude-sonnet-4-5',
      max_tokens: 5,
      ...MESSAGES,
      tools: [
        {
          name: 'apportion_json_answer',
          description: 'Gives the answer. Its input is the whole answer, as JSON.',
          input_schema: { type: 'object' },
        },
      ],
      tool_choice: { type: 'tool', name: 'apportion_json_answer' },
    },
  ],
  [
    'effort, for a model that thinks as it sees fit',
    { ...OPENAI_TO_CLAUDE, model: 'claude-opus-4-8' },
    { max_tokens: 5, reasoning_effort: 'minimal' },
    {
      model: 'claude-opus-4-8',
      max_tokens: 5,
      ...MESSAGES,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    },
  ],
  [
    'effort, for a model that thinks by budget, below the limit',
    OPENAI_TO_CLAUDE,
    { max_tokens: 5000, reasoning_effort: 'high' },
    { model: 'claude-sonnet-4-5', max_tokens: 5000, ...MESSAGES, thinking: { type: 'enabled', budget_tokens: 4999 } },
  ],
  [
    'a budget to think, in words',
    ANTHROPIC_TO_OPENAI,
    { thinking: { type: 'enabled', budget_tokens: 8192 }, cache_control: { type: 'ephemeral' } },
    { model: 'gpt-5', ...MESSAGES, max_completion_tokens: 100, reasoning_effort: 'medium' },
  ],
  [
    'LiteLLM’s word for thinking',
    { ...OPENAI_TO_CLAUDE, model: 'claude-3-7-sonnet-latest' },
    { max_tokens: 5000, thinking: { type: 'enabled', budget_tokens: 2000 }, functions: [] },
    {
      model: 'claude-3-7-sonnet-latest',
      max_tokens: 5000,
      ...MESSAGES,
      thinking: { type: 'enabled', budget_tokens: 2000 },
    },
  ],
  [
    'a name of a user that OpenAI would find too long',
    ANTHROPIC_TO_OPENAI,
    { metadata: { user_id: 'u'.repeat(100) } },
    {
      model: 'gpt-5',
      ...MESSAGES,
      max_completion_tokens: 100,
      user: createHash('sha256').update('u'.repeat(100)).digest('hex'),
    },
  ],
  [
    'a schema for a server that speaks Anthropic’s dialect, of which nothing is known',
    { ...OPENAI_TO_CLAUDE, model: 'kimi-k2' },
    { max_tokens: 5, response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } } },
    {
      model: 'kimi-k2',
      max_tokens: 5,
      ...MESSAGES,
      tools: [
        {
          name: 'apportion_json_answer',
          description: 'Gives the answer. Its input is the whole answer, as JSON.',
          input_schema: { type: 'object' },
        },
      ],
      tool_choice: { type: 'tool', name: 'apportion_json_answer' },
    },
  ],
  [
    'filters that are open, and labels',
    GEMINI_TO_OPENAI,
    { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }], labels: { a: 'b' } },
    { model: 'gpt-5', ...MESSAGES },
  ],
  [
    'effort as Google tells its budget',
    OPENAI_TO_GEMINI,
    { reasoning_effort: 'medium' },
    { ...HELLO, generationConfig: { thinkingConfig: { thinkingBudget: 8192, includeThoughts: true } } },
  ],
];

describe('what is written', () => {
  for (const [name, asked, extra, written] of LEFT)
    test(`${asked.from.dialect} → ${asked.model}: ${name}`, () => {
      assert.deepEqual(write(asked, extra), written);
    });
});

test('a lower output limit is written where the provider reads it', () => {
  const limits = [OPENAI_TO_CLAUDE, OPENAI_TO_GEMINI, ANTHROPIC_TO_OPENAI, GEMINI_TO_OPENAI, GEMINI_TO_CLAUDE].map(
    ({ from, to, model }) => {
      const wire = translated(from, { target: to, spoken: to, model });
      const body = bodyFor(from, {});
      const outputLimit = { tokens: 16, names: wire.outputLimitNames?.(body) ?? [] };
      const edit = {
        model,
        askUsage: false,
        drop: new Set<string>(),
        metadata: { action: 'keep' } as const,
        outputLimit,
      };
      const written: Record<string, unknown> = JSON.parse(wire.writeRequest(body, edit).toString('utf8'));
      return written['max_tokens'] ?? written['max_completion_tokens'] ?? written['generationConfig'];
    },
  );
  assert.deepEqual(limits, [16, { maxOutputTokens: 16 }, 16, 16, 16]);
});

test('thoughts that another provider signed are not sent, and the turn goes on without thinking', () => {
  const messages = [
    ...user('x'),
    {
      role: 'assistant',
      content: null,
      thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'gemini.c2ln' }],
      tool_calls: [{ id: 'call.1', type: 'function', function: { name: 'f', arguments: '' } }],
    },
    { role: 'tool', tool_call_id: 'call.1', content: 'y' },
  ];
  assert.deepEqual(
    write(OPENAI_TO_CLAUDE, { messages, tools: [FUNCTION], max_tokens: 5000, reasoning_effort: 'low' }),
    {
      model: 'claude-sonnet-4-5',
      max_tokens: 5000,
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'y' }] },
      ],
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
    },
  );
});

test('what one schema language has otherwise is written in the other’s', () => {
  const schema = {
    type: 'OBJECT',
    properties: { n: { type: 'INTEGER', nullable: true }, l: { type: 'ARRAY', minItems: '1' } },
  };
  const declared = { functionDeclarations: [{ name: 'f', parameters: schema }] };
  assert.deepEqual(write(GEMINI_TO_OPENAI, { tools: [declared] }), {
    model: 'gpt-5',
    ...MESSAGES,
    tools: [
      {
        type: 'function',
        function: {
          name: 'f',
          parameters: {
            type: 'object',
            properties: { n: { type: ['integer', 'null'] }, l: { type: 'array', minItems: 1 } },
          },
        },
      },
    ],
  });
});
