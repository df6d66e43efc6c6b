import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanJsonObject } from '#std';
import { ApportionError } from '#terms';
import { scanMultipart } from '../multipart.ts';
import { passThrough } from '../pass-through/index.ts';
import { NO_QUIRKS, NO_TARGET, type RequestBody, type RequestEdit } from '../wire.ts';
import { openAiImages, openAiModerations, openAiResponses, openAiSpeech, openAiTranscription } from './index.ts';

function json(value: unknown): RequestBody {
  const bytes = Buffer.from(JSON.stringify(value));
  const scan = scanJsonObject(bytes);
  assert.ok(scan.ok);
  return { bytes, members: new Map(scan.members.map((one) => [one.key, one])), form: null, target: NO_TARGET };
}

function part(name: string, value: string, more = ''): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

function form(...parts: string[]): RequestBody {
  const bytes = Buffer.from(`${parts.join('')}--b--\r\n`, 'latin1');
  const read = scanMultipart(bytes, 'multipart/form-data; boundary=b');
  return { bytes, members: new Map(), form: read, target: NO_TARGET };
}

const EDIT: RequestEdit = {
  model: 'whisper-1',
  askUsage: true,
  drop: new Set(['tags', 'entity_type', 'entity_id']),
  metadata: { action: 'keep' },
};

const FILE = part('file', 'RIFF\0\xff', '; filename="a.wav"');

test('a Responses request is bounded by its bytes, but not where it takes from elsewhere', () => {
  const plain = { model: 'gpt-5', input: 'hi', max_output_tokens: 16, previous_response_id: null };
  assert.deepEqual(openAiResponses.readRequest(json(plain)), {
    model: 'gpt-5',
    stream: false,
    wantsUsage: true,
    maxOutputTokens: 16,
    choices: 1,
    maxInputTokens: JSON.stringify(plain).length + 1_000,
  });
  for (const more of [
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { prompt: { id: 'pmpt_1' } },
    { tools: [{ type: 'web_search' }] },
    { tools: [{ type: 'mcp', server_url: 'https://example.com' }] },
    { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
    { input: [{ type: 'item_reference', id: 'msg_1' }] },
  ])
    assert.equal(openAiResponses.readRequest(json({ ...plain, ...more })).maxInputTokens, null, JSON.stringify(more));
});

test('a stored prompt may name the model; nothing else may leave it out', () => {
  assert.equal(openAiResponses.readRequest(json({ prompt: { id: 'pmpt_1' } })).model, '');
  assert.throws(() => openAiResponses.readRequest(json({ input: 'hi' })), ApportionError);
});

test('a Responses stream is not asked for usage, which it carries anyway', () => {
  const body = json({ model: 'gpt-5', stream: true, input: 'hi' });
  assert.equal(
    openAiResponses.writeRequest(body, { ...EDIT, model: 'gpt-5' }).toString(),
    '{"model":"gpt-5","stream":true,"input":"hi"}',
  );
});

test('images billed by quality and size name both, with the defaults of the API', () => {
  const dalle = openAiImages.readRequest(
    json({ model: 'dall-e-3', prompt: 'a cat', quality: 'hd', size: '1024x1792' }),
  );
  assert.deepEqual(
    [dalle.meters, dalle.others],
    [undefined, [{ model: 'dall-e-3/hd/1024x1792', meters: { image: 1 } }]],
  );
  const plain = openAiImages.readRequest(json({ prompt: 'a cat', n: 3 }));
  assert.deepEqual(
    [plain.model, plain.choices, plain.others],
    ['dall-e-2', 3, [{ model: 'dall-e-2/standard/1024x1024', meters: { image: 3 } }]],
  );
  const tokens = openAiImages.readRequest(json({ model: 'gpt-image-2', prompt: 'a cat', size: 'auto', stream: true }));
  assert.deepEqual([tokens.stream, tokens.meters, tokens.others], [true, { image: 1 }, undefined]);
});

test('an edit of an image is a form, and read alike', () => {
  const body = form(part('model', 'dall-e-2'), part('n', '2'), part('size', '256x256'), part('prompt', 'a dog'), FILE);
  const asked = openAiImages.readRequest(body);
  assert.deepEqual(asked.others, [{ model: 'dall-e-2/standard/256x256', meters: { image: 2 } }]);
  assert.equal(openAiImages.requestText(body), 'a dog');
  assert.throws(() => openAiImages.readRequest(form(part('model', 'dall-e-2'), part('n', 'two'))), ApportionError);
});

test('a transcription reads model and stream from its form', () => {
  const asked = openAiTranscription.readRequest(form(FILE, part('model', 'gpt-4o-transcribe'), part('stream', 'true')));
  assert.deepEqual([asked.model, asked.stream, asked.maxInputTokens], ['gpt-4o-transcribe', true, null]);
  assert.throws(
    () => openAiTranscription.readRequest(form(part('model', 'a'), part('model', 'b'))),
    (error: unknown) => error instanceof ApportionError && error.code === 'duplicate_field',
  );
});

test('a form goes on byte for byte, but for our fields and the name of the model', () => {
  const ours = [part('tags', '{"a":"b"}'), part('tags[]', 'x'), part('entity_type', 'customer')];
  const theirs = [FILE, part('t[]', 'word'), part('t[]', 'segment')];
  const body = form(part('model', 'groq/whisper'), ...ours, ...theirs);
  const written = openAiTranscription.writeRequest(body, EDIT).toString('latin1');
  assert.equal(written, form(part('model', 'whisper-1'), ...theirs).bytes.toString('latin1'));
});

test('a form without a model gets one, and its metadata is what is left of it', () => {
  const body = form(FILE, part('metadata', '{"tags":["a"],"k":"v"}'));
  const kept = openAiTranscription.writeRequest(body, { ...EDIT, metadata: { action: 'replace', json: '{"k":"v"}' } });
  assert.equal(
    kept.toString('latin1'),
    form(FILE, part('metadata', '{"k":"v"}'), part('model', 'whisper-1')).bytes.toString('latin1'),
  );
  const dropped = openAiTranscription.writeRequest(body, { ...EDIT, metadata: { action: 'drop' } });
  assert.equal(dropped.toString('latin1'), form(FILE, part('model', 'whisper-1')).bytes.toString('latin1'));
});

test('speech counts the characters to speak, and is a stream only when it is asked for in events', () => {
  const asked = openAiSpeech.readRequest(json({ model: 'tts-1', input: 'Grüße 🙂', voice: 'alloy' }));
  assert.deepEqual([asked.stream, asked.meters], [false, { input_characters: 7 }]);
  assert.equal(openAiSpeech.readRequest(json({ model: 'm', input: 'a', stream_format: 'sse' })).stream, true);
});

test('a moderation is one request, by the default model when it names none', () => {
  const asked = openAiModerations.readRequest(json({ input: 'text' }));
  assert.deepEqual([asked.model, asked.meters], ['omni-moderation-latest', { request: 1 }]);
});

test('what is passed through goes on as it came', () => {
  const odd: RequestBody = {
    bytes: Buffer.from('{ "purpose" : 1.0 }'),
    members: new Map(),
    form: null,
    target: NO_TARGET,
  };
  assert.equal(passThrough.writeRequest(odd, EDIT), odd.bytes);
  const empty = { ...odd, bytes: Buffer.alloc(0) };
  assert.deepEqual([passThrough.readRequest(empty).model, passThrough.writeRequest(empty, EDIT).length], ['', 0]);
  const batch = json({ input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' });
  assert.equal(passThrough.writeRequest(batch, { ...EDIT, model: '' }), batch.bytes);
});

test('what is passed through loses our fields, and a model is called by its name at the provider', () => {
  const body = json({ model: 'openai/gpt-4o', tags: { a: 'b' }, training_file: 'file-1' });
  assert.equal(passThrough.readRequest(body).model, 'openai/gpt-4o');
  assert.equal(
    passThrough.writeRequest(body, { ...EDIT, model: 'gpt-4o' }).toString(),
    '{"model":"gpt-4o","training_file":"file-1"}',
  );
  const upload = form(part('purpose', 'batch'), part('entity_id', 'acme'), FILE);
  const written = passThrough.writeRequest(upload, { ...EDIT, model: '' }).toString('latin1');
  assert.equal(written, form(part('purpose', 'batch'), FILE).bytes.toString('latin1'));
});

test('an answer that is passed through is not read, and is known to have no usage', () => {
  const context = {
    request: passThrough.readRequest(json({})),
    quirks: NO_QUIRKS,
    headers: {},
  };
  const facts = passThrough.readAnswer(
    Buffer.from('{"usage":{"prompt_tokens":1000000,"completion_tokens":9}}'),
    context,
  );
  assert.deepEqual([facts.usage, facts.usageComplete], [{ meters: {}, origin: 'reported', raw: '' }, true]);
  const meter = passThrough.meterStream(context);
  const chunk = Buffer.from('data: {"usage":{"prompt_tokens":5}}\n\n');
  assert.equal(meter.push(chunk), chunk);
  assert.equal(meter.closing({ usd: '1', state: 'exact' }).length, 0);
});
