import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_QUIRKS, type AnswerContext, type StreamMeter, type Wire } from '../wire.ts';
import { FrameBuffer, writeFrame } from './frames.ts';
import { bedrockConverse, bedrockInvoke, claudeAtBedrock } from './index.ts';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

function contextOf(model: string): AnswerContext {
  return {
    request: {
      model: 'an-alias',
      stream: true,
      wantsUsage: true,
      maxOutputTokens: null,
      choices: 1,
      maxInputTokens: null,
    },
    quirks: NO_QUIRKS,
    headers: { 'x-amzn-requestid': 'a-request' },
    model,
  };
}

const chunk = (event: object): Buffer =>
  writeFrame('event', 'chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abc' });

const CONVERSE = [
  writeFrame('event', 'messageStart', { role: 'assistant' }),
  writeFrame('event', 'contentBlockStart', {
    contentBlockIndex: 0,
    start: { toolUse: { toolUseId: 't', name: 'find' } },
  }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{"q":"Ö"}' } } }),
  writeFrame('event', 'contentBlockDelta', { contentBlockIndex: 1, delta: { text: 'naïve 分' } }),
  writeFrame('event', 'messageStop', { stopReason: 'tool_use' }),
  writeFrame('event', 'metadata', {
    usage: { inputTokens: 12, outputTokens: 7, totalTokens: 49, cacheReadInputTokens: 30 },
    metrics: { latencyMs: 9 },
    serviceTier: { type: 'flex' },
  }),
];

const MESSAGE = [
  chunk({
    type: 'message_start',
    message: {
      id: 'msg_1',
      model: 'claude-sonnet-4-5',
      usage: { input_tokens: 12, output_tokens: 1, cache_read_input_tokens: 30 },
    },
  }),
  chunk({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  chunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'naïve 分' } }),
  chunk({ type: 'content_block_stop', index: 0 }),
  chunk({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
  chunk({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 42, outputTokenCount: 7 } }),
];

const LLAMA = [
  chunk({ generation: 'naïve 分' }),
  chunk({ generation: '', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 12, outputTokenCount: 7 } }),
];

type Case = {
  readonly name: string;
  readonly wire: Wire;
  readonly model: string;
  readonly frames: readonly Buffer[];
  readonly meters: Readonly<Record<string, number>>;
};

const CASES: readonly Case[] = [
  {
    name: 'converse',
    wire: bedrockConverse,
    model: CLAUDE,
    frames: CONVERSE,
    meters: { input: 12, cache_read: 30, output_text: 7 },
  },
  {
    name: 'Claude invoked',
    wire: bedrockInvoke,
    model: CLAUDE,
    frames: MESSAGE,
    meters: { input: 12, cache_read: 30, output_text: 7 },
  },
  {
    name: 'Llama invoked',
    wire: bedrockInvoke,
    model: 'meta.llama3-3-70b-instruct-v1:0',
    frames: LLAMA,
    meters: { input: 12, output_text: 7 },
  },
  {
    name: "Anthropic's messages",
    wire: claudeAtBedrock,
    model: CLAUDE,
    frames: MESSAGE,
    meters: { input: 12, cache_read: 30, output_text: 7 },
  },
];

const COST = { usd: '0.5', state: 'exact' } as const;

function read(meter: StreamMeter, chunks: readonly Buffer[]): Buffer {
  const shown = chunks.flatMap((one) => meter.push(one) ?? []);
  return Buffer.concat([...shown, meter.closing(COST)]);
}

for (const { name, wire, model, frames, meters } of CASES) {
  const bytes = Buffer.concat(frames);

  test(`${name}: cut at every byte, a stream gives the same bytes and the same usage`, () => {
    const whole = read(wire.meterStream(contextOf(model)), [bytes]);
    if (wire.far === undefined) assert.deepEqual(whole, bytes);
    for (let at = 0; at <= bytes.length; at += 1) {
      const meter = wire.meterStream(contextOf(model));
      assert.ok(read(meter, [bytes.subarray(0, at), bytes.subarray(at)]).equals(whole));
      const facts = meter.facts();
      assert.ok(meter.finished() && facts.usageComplete && !facts.failed);
      assert.deepEqual({ ...facts.usage?.meters }, meters);
    }
  });

  test(`${name}: the last frame waits for the ledger`, () => {
    const meter = wire.meterStream(contextOf(model));
    const shown = meter.push(bytes);
    const last = frames.at(-1) ?? Buffer.alloc(0);
    if (wire.far === undefined) assert.deepEqual(shown, bytes.subarray(0, bytes.length - last.length));
    assert.ok(!shown?.includes('message_stop') && meter.finished());
  });

  test(`${name}: one wrong byte is a broken stream: an error ends it, and no end is shown`, () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ mask;
        const meter = wire.meterStream(contextOf(model));
        const shown = read(meter, [damaged]);
        assert.ok(!meter.finished());
        assert.ok(meter.facts().failed);
        assert.match(shown.toString('utf8'), /a checksum is wrong/);
      }),
    );
  });

  test(`${name}: an exception is told to the caller and fails the answer`, () => {
    const meter = wire.meterStream(contextOf(model));
    const [first = Buffer.alloc(0)] = frames;
    const shown = read(meter, [first, writeFrame('exception', 'throttlingException', { message: 'Too many tokens.' })]);
    assert.ok(meter.facts().failed && !meter.facts().usageComplete);
    assert.match(shown.toString('utf8'), /Too many tokens\./);
  });
}

test('what a cut stream wrote is kept for an estimate, tools included', () => {
  const meter = bedrockConverse.meterStream(contextOf(CLAUDE));
  meter.push(Buffer.concat(CONVERSE.slice(0, -1)));
  assert.deepEqual([meter.facts().usage, meter.facts().outputText], [null, 'find{"q":"Ö"}naïve 分']);
});

test('the tier that was served is in the last frame', () => {
  const meter = bedrockConverse.meterStream(contextOf(CLAUDE));
  meter.push(Buffer.concat(CONVERSE));
  assert.equal(meter.facts().usage?.serviceTier, 'flex');
});

test('frames are cut alike whatever the chunks they come in', () => {
  const bytes = Buffer.concat(CONVERSE);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), (steps) => {
      const buffer = new FrameBuffer();
      const found: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const step = steps[turn % steps.length] ?? 1;
        found.push(...buffer.push(bytes.subarray(at, at + step)).map((frame) => frame.bytes));
        at += step;
      }
      assert.deepEqual(found, CONVERSE);
    }),
  );
});
