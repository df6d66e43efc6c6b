import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { NO_TARGET, type RequestBody, type RequestEdit, type RequestTarget } from '../wire.ts';
import { geminiCountTokens, geminiEmbed, geminiErrorEvent, geminiGenerate, toGeminiError } from './index.ts';

function bodyOf(json: unknown, target: Partial<RequestTarget> = {}): RequestBody {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  return {
    bytes,
    members: new Map(scan.members.map((member) => [member.key, member])),
    form: null,
    target: { ...NO_TARGET, model: 'gemini-2.5-flash', action: 'generateContent', ...target },
  };
}

const EDIT: RequestEdit = {
  model: 'gemini-2.5-flash',
  askUsage: true,
  drop: new Set(['tags']),
  metadata: { action: 'drop' },
};

const HELLO = [{ role: 'user', parts: [{ text: 'Hello' }] }];

test('model and stream stand in the path, limits in either spelling', () => {
  const camel = geminiGenerate.readRequest(
    bodyOf({ contents: HELLO, generationConfig: { maxOutputTokens: 300, candidateCount: 2 } }),
  );
  const snake = geminiGenerate.readRequest(
    bodyOf(
      { contents: HELLO, generation_config: { max_output_tokens: '300', candidate_count: 2 } },
      { action: 'streamGenerateContent' },
    ),
  );
  assert.deepEqual(
    [camel.model, camel.stream, camel.maxOutputTokens, camel.choices],
    ['gemini-2.5-flash', false, 300, 2],
  );
  assert.deepEqual([snake.stream, snake.maxOutputTokens, snake.choices], [true, 300, 2]);
});

test('a field in both spellings is refused, as the provider may read the other one', () => {
  const body = bodyOf({ generationConfig: { maxOutputTokens: 1 }, generation_config: { maxOutputTokens: 9 } });
  assert.throws(() => geminiGenerate.readRequest(body), { code: 'duplicate_field', param: 'generationConfig' });
});

test('a limit that is no number and a path without a model are refused', () => {
  const body = bodyOf({ generationConfig: { maxOutputTokens: -1 } });
  assert.throws(() => geminiGenerate.readRequest(body), { code: 'invalid_field' });
  assert.throws(() => geminiGenerate.readRequest(bodyOf({}, { model: '' })), { code: 'invalid_field', param: 'model' });
});

test('input is bounded by its bytes, unless something in it stands for more', () => {
  const boundOf = (json: unknown): number | null => geminiGenerate.readRequest(bodyOf(json)).maxInputTokens;
  const plain = { contents: HELLO, tools: [{ functionDeclarations: [{ name: 'f' }] }] };
  assert.equal(boundOf(plain), JSON.stringify(plain).length + 1_000);
  assert.equal(boundOf('{"contents":[{"parts":[{"text":"gr\\u00fc\\u00df dich"}]}]}') !== null, true);
  for (const unbounded of [
    { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] },
    { contents: [{ parts: [{ inline_data: { mimeType: 'audio/wav', data: 'AAAA' } }] }] },
    { contents: [{ parts: [{ fileData: { fileUri: 'https://x.test/f' } }] }] },
    { cachedContent: 'cachedContents/1', contents: HELLO },
    { contents: HELLO, tools: [{ googleSearch: {} }] },
    { contents: HELLO, tools: [{ functionDeclarations: [], url_context: {} }] },
    { contents: HELLO, tools: [{ codeExecution: {} }] },
    { contents: HELLO, tools: { googleSearch: {} } },
    '{"contents":[{"parts":[{"fil\\u0065Data":{"fileUri":"x"}}]}]}',
  ])
    assert.equal(boundOf(unbounded), null, JSON.stringify(unbounded));
});

test('our fields are left out and every other byte goes on as it came', () => {
  const body = bodyOf(
    '{ "tags" : ["a:b"], "contents" : [ {"parts":[{"text":"x"}]} ],"metadata":{"team":"a"} ,"labels":{"env":"p"}}',
  );
  assert.equal(
    geminiGenerate.writeRequest(body, EDIT).toString(),
    '{"contents" : [ {"parts":[{"text":"x"}]} ],"labels":{"env":"p"}}',
  );
});

test('a body that repeats the model gets the one that is called', () => {
  const edit = { ...EDIT, model: 'gemini-embedding-001' };
  const one = { model: 'models/fast', content: { parts: [{ text: 'a' }] } };
  const batch = bodyOf({ requests: [one, { ...one, model: 'models/gemini-embedding-001' }] });
  assert.deepEqual(JSON.parse(geminiEmbed.writeRequest(batch, edit).toString()), {
    requests: [
      { ...one, model: 'models/gemini-embedding-001' },
      { ...one, model: 'models/gemini-embedding-001' },
    ],
  });
  assert.deepEqual(JSON.parse(geminiEmbed.writeRequest(bodyOf(one), edit).toString()), {
    ...one,
    model: 'models/gemini-embedding-001',
  });
  const counted = bodyOf({ generateContentRequest: { model: 'models/fast', contents: HELLO } });
  assert.deepEqual(JSON.parse(geminiCountTokens.writeRequest(counted, edit).toString()), {
    generateContentRequest: { model: 'models/gemini-embedding-001', contents: HELLO },
  });
});

test('the text of a request is what the caller wrote, without media', () => {
  const text = geminiGenerate.requestText(
    bodyOf({
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'Hello' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'f', response: { out: 'sunny' } } }] },
      ],
    }),
  );
  assert.equal(text, 'Be brief.\nHello\nf\nsunny');
  assert.equal(geminiEmbed.requestText(bodyOf({ content: { parts: [{ text: 'one' }] } })), 'one');
});

test('embeddings are input only, by the usage they report', () => {
  const asked = geminiEmbed.readRequest(bodyOf({ content: { parts: [{ text: 'one' }] } }, { action: 'embedContent' }));
  assert.deepEqual([asked.stream, asked.maxOutputTokens], [false, 0]);
  const context = { request: asked, quirks: { ...QUIRKS }, headers: {} };
  const answer = {
    embedding: { values: [0.1] },
    usageMetadata: {
      promptTokenCount: 3,
      totalTokenCount: 3,
      promptTokenDetails: [{ modality: 'TEXT', tokenCount: 3 }],
    },
  };
  const facts = geminiEmbed.readAnswer(Buffer.from(JSON.stringify(answer)), context);
  assert.deepEqual([facts.usage?.meters, facts.usageComplete], [{ input: 3 }, true]);
  const silent = geminiEmbed.readAnswer(Buffer.from('{"embedding":{"values":[0.1]}}'), context);
  assert.deepEqual([silent.usage, silent.usageComplete, silent.outputText], [null, false, '']);
});

const QUIRKS = { streamUsage: 'ask', reasoning: 'inside', reportedCost: null, reportedCostHeader: null } as const;

test('errors have the form that Google and its clients know, and keep our code and hint', () => {
  const error = new ApportionError('invalid_key', 'The key is not known.', { hint: 'Make one.', param: 'key' });
  assert.deepEqual(toGeminiError(error), {
    error: {
      code: 401,
      message: 'The key is not known. Make one.',
      status: 'UNAUTHENTICATED',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'INVALID_KEY',
          domain: 'apportion',
          metadata: { code: 'invalid_key', param: 'key', hint: 'Make one.' },
        },
      ],
    },
  });
  assert.match(geminiErrorEvent(error).toString(), /^data: \{"error":\{"code":401,.*\}\n\n$/);
});
