import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { geminiGenerate } from './index.ts';

const CONTEXT: AnswerContext = {
  request: {
    model: 'gemini-2.5-flash',
    stream: true,
    wantsUsage: true,
    maxOutputTokens: null,
    choices: 1,
    maxInputTokens: null,
  },
  quirks: NO_QUIRKS,
  headers: {},
};

const COMMENT = ': apportion-cost 0.000128 exact\n\n';

const CHUNKS = [
  chunk([{ text: 'Grüße, ' }], { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }),
  chunk([{ text: '{"usageMetadata"} "finishReason"' }], {
    promptTokenCount: 10,
    candidatesTokenCount: 12,
    totalTokenCount: 22,
  }),
  chunk(
    [{ text: '!' }],
    {
      promptTokenCount: 10,
      candidatesTokenCount: 20,
      thoughtsTokenCount: 30,
      totalTokenCount: 60,
    },
    { finishReason: 'STOP', index: 0 },
  ),
];

const SSE = CHUNKS.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`);
const ARRAY = `[${CHUNKS.map((one) => JSON.stringify(one, null, 2)).join('\n,\n')}\n]\n`;

function chunk(parts: unknown[], usageMetadata: object, more: object = {}): object {
  return {
    candidates: [{ content: { parts, role: 'model' }, ...more }],
    usageMetadata,
    modelVersion: 'gemini-2.5-flash',
    responseId: 'mAit_x',
  };
}

type Passed = {
  readonly facts: AnswerFacts;
  readonly before: string;
  readonly after: string;
  readonly finished: boolean;
};

function pass(pieces: readonly Buffer[]): Passed {
  const meter = geminiGenerate.meterStream(CONTEXT);
  const before = pieces.map((piece) => meter.push(piece)?.toString('latin1') ?? '').join('');
  const facts = meter.facts();
  const finished = meter.finished();
  const after = meter.closing({ usd: '0.000128', state: 'exact' }).toString('latin1');
  return { facts, before, after, finished };
}

function cutAt(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

const WHOLE = {
  id: 'mAit_x',
  model: 'gemini-2.5-flash',
  meters: { input: 10, output_text: 20, output_reasoning: 30 },
  complete: true,
};

function told({ id, model, usage, usageComplete }: AnswerFacts): unknown {
  return { id, model, meters: usage?.meters, complete: usageComplete };
}

test('an event stream cut at every byte gives the same bytes and usage, and holds the last event', () => {
  const bytes = Buffer.from(SSE.join(''));
  const last = Buffer.from(SSE[2] ?? '').toString('latin1');
  for (let at = 0; at <= bytes.length; at += 1) {
    const { facts, before, after, finished } = pass(cutAt(bytes, at));
    assert.deepEqual(told(facts), WHOLE, `cut at ${at}`);
    assert.equal(after, COMMENT + last, `cut at ${at}`);
    assert.equal(before + last, bytes.toString('latin1'));
    assert.equal(finished, false);
  }
});

test('an array stream cut at every byte gives the same bytes and usage, and holds the last bracket', () => {
  const bytes = Buffer.from(ARRAY);
  for (let at = 0; at <= bytes.length; at += 1) {
    const { facts, before, after, finished } = pass(cutAt(bytes, at));
    assert.deepEqual(told(facts), WHOLE, `cut at ${at}`);
    assert.deepEqual([after, finished], [']\n', true], `cut at ${at}`);
    assert.equal(before + after, bytes.toString('latin1'));
  }
});

test('byte by byte, both framings say what the whole answer says', () => {
  for (const text of [SSE.join(''), ARRAY]) {
    const { facts } = pass(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)));
    assert.deepEqual(told(facts), WHOLE);
  }
  assert.deepEqual(told(geminiGenerate.readAnswer(Buffer.from(ARRAY), CONTEXT)), WHOLE);
  const final = Buffer.from(JSON.stringify(CHUNKS[2]));
  assert.deepEqual(told(geminiGenerate.readAnswer(final, CONTEXT)), WHOLE);
});

test('the first words go on at once', () => {
  const meter = geminiGenerate.meterStream(CONTEXT);
  assert.equal(meter.push(Buffer.from(SSE[0] ?? ''))?.toString(), SSE[0]);
});

test('chunks that come twice or in another order change nothing', () => {
  const order = [SSE[0], SSE[2], SSE[1], SSE[2], SSE[0]].map((event) => Buffer.from(event ?? ''));
  assert.deepEqual(told(pass(order).facts), WHOLE);
});

test('usage behind the finish reason still counts, and usage that says nothing replaces nothing', () => {
  const late = chunk([], {
    promptTokenCount: 10,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 70,
    totalTokenCount: 100,
  });
  const events = [
    ...SSE,
    `data: ${JSON.stringify(late)}\n\n`,
    'data: {"usageMetadata":null}\n\n',
    'data: {"usageMetadata":{}}\n\n',
  ];
  const { facts, before, after } = pass(events.map((event) => Buffer.from(event)));
  assert.equal(facts.usage?.meters.output_reasoning, 70);
  assert.equal(before, Buffer.from(events.slice(0, -1).join('')).toString('latin1'));
  assert.equal(after, COMMENT + (events.at(-1) ?? ''));
});

test('a stream that breaks off has the usage so far, not complete, and the text without the thoughts', () => {
  const thought = chunk([{ text: 'hm', thought: true }], {
    promptTokenCount: 10,
    thoughtsTokenCount: 4,
    totalTokenCount: 14,
  });
  const { facts } = pass(
    [`data: ${JSON.stringify(thought)}\n\n`, SSE[0] ?? '', 'data: {"cand'].map((event) => Buffer.from(event)),
  );
  assert.deepEqual(told(facts), {
    ...WHOLE,
    meters: { input: 10, output_text: 5 },
    complete: false,
  });
  assert.equal(facts.outputText, 'Grüße, ');
});

test('a stream without any usage gives all it wrote for an estimate', () => {
  const silent = [
    {
      candidates: [
        { content: { parts: [{ text: 'a ', thought: true }, { functionCall: { name: 'f', args: { x: 1 } } }] } },
      ],
    },
    {
      candidates: [
        {
          content: { parts: [{ text: 'b' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
          finishReason: 'STOP',
        },
      ],
    },
  ];
  const { facts } = pass(silent.map((one) => Buffer.from(`data: ${JSON.stringify(one)}\n\n`)));
  assert.deepEqual([facts.usage, facts.usageComplete, facts.outputText], [null, false, 'a ["f",{"x":1}]b']);
});

test('an error in the stream fails the answer, and its text is no output', () => {
  const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
  const { facts } = pass([Buffer.from(SSE[0] ?? ''), Buffer.from(`data: ${JSON.stringify(error)}\n\n`)]);
  assert.deepEqual([facts.failed, facts.usageComplete, facts.outputText], [true, false, 'Grüße, ']);
  assert.equal(pass([Buffer.from(`[${JSON.stringify(error)}]`)]).facts.failed, true);
  assert.equal(pass([Buffer.from(JSON.stringify(error))]).facts.failed, true);
});

test('a prompt that was blocked is an answer, billed as it says', () => {
  const blocked = {
    promptFeedback: { blockReason: 'SAFETY' },
    usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
    modelVersion: 'gemini-2.5-flash',
  };
  const { facts } = pass([Buffer.from(`data: ${JSON.stringify(blocked)}\n\n`)]);
  assert.deepEqual([facts.usage?.meters, facts.usageComplete, facts.failed], [{ input: 8 }, true, false]);
});

test('searches are counted once though chunks repeat them, by the model that answered', () => {
  const grounded = (model: string): Buffer[] =>
    [['a'], ['a', 'b']].map((webSearchQueries, index) =>
      Buffer.from(
        `data: ${JSON.stringify({
          candidates: [
            {
              content: { parts: [{ text: 'x' }] },
              groundingMetadata: { webSearchQueries },
              ...(index === 1 ? { finishReason: 'STOP' } : {}),
            },
          ],
          usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
          modelVersion: model,
        })}\n\n`,
      ),
    );
  assert.deepEqual(pass(grounded('gemini-3-pro-preview')).facts.usage?.meters, {
    input: 1,
    output_text: 1,
    web_search: 2,
  });
  assert.deepEqual(pass(grounded('gemini-2.5-pro')).facts.usage?.meters, {
    input: 1,
    output_text: 1,
    grounded_prompt: 1,
  });
});

test('the tier that served stands in a header, unless the usage names it', () => {
  const meter = geminiGenerate.meterStream({ ...CONTEXT, headers: { 'x-gemini-service-tier': 'standard' } });
  for (const event of SSE) meter.push(Buffer.from(event));
  assert.equal(meter.facts().usage?.serviceTier, 'default');
});

test('what is neither events nor an array goes on untouched', () => {
  for (const text of ['<html>no</html>', '[<]', '  ', '', '[1,2]']) {
    const { before, after, facts } = pass([Buffer.from(text)]);
    assert.equal((before + after).replace(COMMENT, ''), text);
    assert.equal(facts.usage, null);
  }
});
