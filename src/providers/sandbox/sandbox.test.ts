import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inputTokens, outputTokens } from '#terms';
import {
  anthropicMessages,
  geminiEmbed,
  geminiGenerate,
  NO_QUIRKS,
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  openAiImages,
  openAiResponses,
  openAiTranscription,
  type AnswerFacts,
  type Wire,
} from '#wires';
import { completeInSandbox } from './completion.ts';
import type { SandboxAnswer } from './exchange.ts';
import { answerInSandbox, readCall, startSandbox } from './server.ts';

const ASKED = {
  model: 'sandbox-mini',
  messages: [{ role: 'user', text: 'Hello' }],
  maxTokens: null,
  choices: 1,
  keySetting: 'OPENAI_API_KEY',
};

function ask(url: string, body: unknown): SandboxAnswer {
  return answerInSandbox(
    readCall(url, {
      bytes: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      type: 'application/json',
    }),
  );
}

function bytesOf({ pieces }: SandboxAnswer): Buffer {
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

function jsonOf(answer: SandboxAnswer): Record<string, unknown> {
  const value: unknown = JSON.parse(bytesOf(answer).toString('utf8'));
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

/** What a wire of ours reads in an answer. */
function read(wire: Wire, answer: SandboxAnswer): AnswerFacts {
  assert.equal(answer.status, 200, bytesOf(answer).toString('utf8'));
  const stream = answer.pieces.length > 1;
  const context = {
    request: {
      model: 'sandbox-mini',
      stream,
      wantsUsage: true,
      maxOutputTokens: null,
      choices: 1,
      maxInputTokens: null,
    },
    quirks: NO_QUIRKS,
    headers: { 'content-type': answer.type },
  };
  if (!stream) return wire.readAnswer(bytesOf(answer), context);
  const meter = wire.meterStream(context);
  for (const piece of answer.pieces) meter.push(Buffer.from(piece));
  return meter.facts();
}

test('the same request gets the same text and usage', () => {
  assert.deepEqual(completeInSandbox(ASKED), completeInSandbox(ASKED));
});

test('a limit on tokens cuts the answer', () => {
  const cut = completeInSandbox({ ...ASKED, maxTokens: 5, choices: 2 });
  assert.deepEqual([cut.tokens.length, cut.finishReason, cut.counts.text], [5, 'length', 10]);
});

const LONG = 'x'.repeat(8_000);
const THINKER = 'sandbox-reasoner';

/** The same question in each dialect, streamed and not. */
const DIALECTS: readonly {
  readonly wire: Wire;
  readonly whole: SandboxAnswer;
  readonly streams: readonly SandboxAnswer[];
}[] = [
  {
    wire: openAiChat,
    whole: ask('/v1/chat/completions', { model: THINKER, messages: [{ role: 'user', content: LONG }] }),
    streams: [
      ask('/v1/chat/completions', { model: THINKER, messages: [{ role: 'user', content: LONG }], stream: true }),
    ],
  },
  {
    wire: openAiCompletions,
    whole: ask('/v1/completions', { model: THINKER, prompt: LONG }),
    streams: [ask('/v1/completions', { model: THINKER, prompt: LONG, stream: true })],
  },
  {
    wire: openAiResponses,
    whole: ask('/v1/responses', { model: THINKER, input: LONG }),
    streams: [
      ask('/v1/responses', {
        model: THINKER,
        input: [{ role: 'user', content: [{ type: 'input_text', text: LONG }] }],
        stream: true,
      }),
    ],
  },
  {
    wire: anthropicMessages,
    whole: ask('/v1/messages', { model: THINKER, max_tokens: 900, messages: [{ role: 'user', content: LONG }] }),
    streams: [
      ask('/v1/messages', {
        model: THINKER,
        max_tokens: 900,
        messages: [{ role: 'user', content: LONG }],
        stream: true,
      }),
    ],
  },
  {
    wire: geminiGenerate,
    whole: ask(`/v1beta/models/${THINKER}:generateContent`, { contents: [{ parts: [{ text: LONG }] }] }),
    streams: [
      ask(`/v1beta/models/${THINKER}:streamGenerateContent?alt=sse`, { contents: [{ parts: [{ text: LONG }] }] }),
      ask(`/v1beta/models/${THINKER}:streamGenerateContent`, { contents: [{ parts: [{ text: LONG }] }] }),
    ],
  },
];

for (const { wire, whole, streams } of DIALECTS) {
  test(`${wire.name}: whole and streamed say the same, with cache and thoughts in it`, () => {
    const { usage, usageComplete, model } = read(wire, whole);
    assert.ok(usage !== null && usageComplete);
    assert.deepEqual([usage.inconsistent, model], [undefined, THINKER]);
    assert.deepEqual([usage.meters.input, usage.meters.cache_read], [1_111, 896]);
    assert.equal(usage.meters.output_reasoning, 128);
    assert.deepEqual([inputTokens(usage.meters), outputTokens(usage.meters) > 150], [2_007, true]);
    for (const stream of streams) {
      assert.ok(stream.pieces.length > 3);
      assert.deepEqual(read(wire, stream).usage?.meters, usage.meters);
    }
  });
}

test('counting tokens counts what an answer to the same would say', () => {
  const anthropic = ask('/v1/messages/count_tokens', {
    model: 'sandbox-mini',
    messages: [{ role: 'user', content: LONG }],
  });
  assert.deepEqual(jsonOf(anthropic), { input_tokens: 2_007 });
  const gemini = ask('/v1beta/models/sandbox-mini:countTokens', { contents: [{ parts: [{ text: LONG }] }] });
  assert.equal(jsonOf(gemini)['totalTokens'], 2_007);
});

test('an embedding is a vector of length one, the same as numbers and as base64', () => {
  const readVector = (format: string): unknown => {
    const answer = jsonOf(
      ask('/v1/embeddings', { model: 'sandbox-embedding', input: ['a', 'b'], dimensions: 10, encoding_format: format }),
    );
    assert.ok(Array.isArray(answer['data']));
    return answer['data'][1].embedding;
  };
  const vector = readVector('float');
  assert.ok(Array.isArray(vector) && Math.abs(Math.hypot(...vector) - 1) < 1e-6);
  const bytes = Buffer.from(String(readVector('base64')), 'base64');
  assert.deepEqual(Array.from(new Float32Array(new Uint8Array(bytes).buffer)), vector);
});

test('embeddings have usage in both dialects', () => {
  const openAi = ask('/v1/embeddings', { model: 'sandbox-embedding', input: 'abcdefgh' });
  assert.deepEqual(read(openAiEmbeddings, openAi).usage?.meters, { input: 2 });
  const content = { parts: [{ text: 'abcdefgh' }] };
  const one = ask('/v1beta/models/sandbox-embedding:embedContent', { content, outputDimensionality: 3 });
  assert.deepEqual(read(geminiEmbed, one).usage?.meters, { input: 2 });
  const two = ask('/v1beta/models/sandbox-embedding:batchEmbedContents', { requests: [{ content }, { content }] });
  assert.deepEqual(read(geminiEmbed, two).usage?.meters, { input: 4 });
});

test('a picture is a PNG, with the tokens of its quality and size', () => {
  const answer = ask('/v1/images/generations', {
    model: 'sandbox-image',
    prompt: 'A cat',
    n: 2,
    quality: 'high',
    size: '1024x1536',
  });
  const { data } = jsonOf(answer);
  assert.ok(Array.isArray(data) && data.length === 2);
  assert.equal(Buffer.from(String(data[0].b64_json), 'base64').toString('latin1', 1, 4), 'PNG');
  assert.deepEqual(read(openAiImages, answer).usage?.meters.output_image, 12_480);
});

test('speech is silence in a WAV file, and its transcript says how long it was', () => {
  const speech = ask('/v1/audio/speech', { model: 'sandbox-tts', input: 'x'.repeat(40), voice: 'alloy' });
  const wav = bytesOf(speech);
  assert.deepEqual([speech.type, wav.toString('latin1', 8, 12), wav.length], ['audio/wav', 'WAVE', 44 + 3 * 16_000]);
  const form = Buffer.concat([
    Buffer.from('--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nsandbox-transcribe\r\n'),
    Buffer.from(
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n',
    ),
    wav,
    Buffer.from('\r\n--B--\r\n'),
  ]);
  const transcript = answerInSandbox(
    readCall('/v1/audio/transcriptions', { bytes: form, type: 'multipart/form-data; boundary=B' }),
  );
  assert.equal(jsonOf(transcript)['text'], 'The sandbox listened to 3 seconds of sound.');
  assert.equal(read(openAiTranscription, transcript).usage?.meters.audio_seconds, 3);
});

test('moderation flags nothing', () => {
  const answer = jsonOf(ask('/v1/moderations', { model: 'sandbox-moderation', input: ['a', 'b'] }));
  assert.ok(Array.isArray(answer['results']) && answer['results'].length === 2);
});

test('what is missing is refused in the form of its dialect', () => {
  assert.equal(ask('/v1/embeddings', { model: 'sandbox-embedding' }).status, 400);
  assert.equal(ask('/v1/responses', 'no json').status, 400);
  assert.deepEqual(jsonOf(ask('/v1/messages', { model: 'm', messages: [] })), {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'max_tokens: Field required' },
    request_id: null,
  });
  assert.deepEqual(jsonOf(ask('/v1beta/models/m:generateContent', {})), {
    error: { code: 400, message: 'contents are required', status: 'INVALID_ARGUMENT' },
  });
  assert.equal(ask('/v1/nothing', {}).status, 404);
});

test('it answers on its socket, piece by piece', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
  const socketPath = join(folder, 'sandbox.sock');
  const sandbox = await startSandbox(socketPath);
  try {
    const text = await new Promise<string>((resolve, reject) => {
      const call = request({ socketPath, path: '/v1/messages', method: 'POST' }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      call.on('error', reject);
      call.end(
        JSON.stringify({
          model: 'sandbox-mini',
          max_tokens: 9,
          messages: [{ role: 'user', content: 'Hi' }],
          stream: true,
        }),
      );
    });
    assert.match(text, /^event: message_start\n.*event: message_stop\n/s);
  } finally {
    await sandbox.close();
    await rm(folder, { recursive: true });
  }
});
