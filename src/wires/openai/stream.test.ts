import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_QUIRKS, type AnswerContext, type Quirks } from '../wire.ts';
import { ChatStreamMeter } from './stream.ts';

const HEAD =
  '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","service_tier":"default"';
const USAGE =
  '{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"completion_tokens_details":{"reasoning_tokens":0}}';

function chunk(choices: string, usage: string): string {
  return `data: {${HEAD},"choices":[${choices}],"usage":${usage}}\n\n`;
}

const ROLE = chunk('{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}', 'null');
const TEXT = chunk('{"index":0,"delta":{"content":"say \\"usage\\":null, é 🙂"},"finish_reason":null}', 'null');
const STOP = chunk('{"index":0,"delta":{},"finish_reason":"stop"}', 'null');
const TOTAL = chunk('', USAGE);
const DONE = 'data: [DONE]\n\n';
const STREAM = Buffer.from(ROLE + TEXT + STOP + TOTAL + DONE);
const COST = { usd: '0.0000425', state: 'exact' };

function without(event: string): string {
  return event.replace(',"usage":null}\n', '}\n');
}

function asked(wantsUsage: boolean): AnswerContext {
  return {
    request: { model: 'm', stream: true, wantsUsage, maxOutputTokens: null, choices: 1, maxInputTokens: null },
    quirks: NO_QUIRKS,
    headers: {},
  };
}

type Options = {
  readonly wantsUsage: boolean;
  readonly quirks?: Partial<Quirks>;
  readonly headers?: AnswerContext['headers'];
};

function play(pieces: readonly Buffer[], options: Options): { passed: string; meter: ChatStreamMeter } {
  const { request, quirks } = asked(options.wantsUsage);
  const meter = new ChatStreamMeter({
    request,
    quirks: { ...quirks, ...options.quirks },
    headers: options.headers ?? {},
  });
  const passed = pieces.map((piece) => meter.push(piece)?.toString() ?? '').join('');
  return { passed, meter };
}

test('a caller who did not ask for usage sees neither the extra chunk nor usage: null', () => {
  const { passed, meter } = play([STREAM], { wantsUsage: false });
  assert.equal(passed, without(ROLE) + without(TEXT) + without(STOP));
  assert.equal(meter.closing(COST).toString(), `: apportion-cost 0.0000425 exact\n\n${DONE}`);
});

test('a caller who asked for usage gets the chunks as they came, with the cost in the last one', () => {
  const { passed, meter } = play([STREAM], { wantsUsage: true });
  assert.equal(passed, ROLE + TEXT + STOP);
  assert.equal(
    meter.closing(COST).toString(),
    `${TOTAL.replace('}}}\n', '},"cost":0.0000425}}\n')}: apportion-cost 0.0000425 exact\n\n${DONE}`,
  );
});

test('a stream cut into pieces at every byte gives the same bytes and the same usage', () => {
  const whole = play([STREAM], { wantsUsage: false });
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    const { passed, meter } = play([STREAM.subarray(0, cut), STREAM.subarray(cut)], { wantsUsage: false });
    assert.equal(passed, whole.passed, `cut at ${cut}`);
    assert.deepEqual(meter.facts(), whole.meter.facts(), `cut at ${cut}`);
    assert.equal(meter.finished(), true);
  }
});

test('a stream that arrives byte by byte gives the same bytes and the same usage', () => {
  const bytes = Array.from(STREAM, (byte) => Buffer.from([byte]));
  const { passed, meter } = play(bytes, { wantsUsage: true });
  assert.equal(passed, ROLE + TEXT + STOP);
  assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 2, output_reasoning: 0 });
});

test('id, model, tier and usage are read from the events', () => {
  const { meter } = play([STREAM], { wantsUsage: false });
  const { usage, ...rest } = meter.facts();
  assert.deepEqual(rest, {
    id: 'chatcmpl-1',
    model: 'gpt-4o-2024-08-06',
    usageComplete: true,
    outputText: '',
    outputCharsBeyond: 0,
    failed: false,
  });
  assert.equal(usage?.serviceTier, 'default');
  assert.equal(usage?.raw, USAGE);
});

test('lines that end in CRLF are read alike', () => {
  const { meter } = play([Buffer.from(STREAM.toString().replaceAll('\n', '\r\n'))], { wantsUsage: false });
  assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 2, output_reasoning: 0 });
  assert.equal(meter.finished(), true);
});

test('usage on the finish chunk is read, and the chunk still reaches a caller who did not ask', () => {
  const finish = chunk('{"index":0,"delta":{},"finish_reason":"stop"}', USAGE);
  const { passed, meter } = play([Buffer.from(TEXT + finish + DONE)], { wantsUsage: false });
  assert.equal(passed, without(TEXT) + finish);
  assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 2, output_reasoning: 0 });
});

test('running totals: the last one is the whole', () => {
  const early = chunk(
    '{"index":0,"delta":{"content":"a"}}',
    '{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}',
  );
  const { passed, meter } = play([Buffer.from(early + TOTAL + DONE)], { wantsUsage: true });
  assert.equal(passed, early);
  assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 2, output_reasoning: 0 });
});

test('without usage the text that was delivered is kept for an estimate', () => {
  const { meter } = play([Buffer.from(without(ROLE) + without(TEXT) + without(STOP) + DONE)], { wantsUsage: false });
  assert.equal(meter.facts().usage, null);
  assert.equal(meter.facts().outputText, 'say "usage":null, é 🙂');
});

test('an error event is seen as a failure and not as text', () => {
  const error = 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n';
  const { passed, meter } = play([Buffer.from(without(TEXT) + error)], { wantsUsage: false });
  assert.equal(passed, without(TEXT) + error);
  assert.equal(meter.facts().failed, true);
  assert.equal(meter.facts().outputText, 'say "usage":null, é 🙂');
});

test('an unknown cost is said to be unknown', () => {
  const { meter } = play([STREAM], { wantsUsage: true });
  assert.equal(
    meter.closing({ usd: null, state: 'unpriced' }).toString(),
    `${TOTAL}: apportion-cost unknown unpriced\n\n${DONE}`,
  );
});

test("usage that comes unasked is the caller's, and goes on with the cost in it", () => {
  const { passed, meter } = play([STREAM], { wantsUsage: false, quirks: { streamUsage: 'always' } });
  assert.equal(passed, ROLE + TEXT + STOP);
  assert.match(meter.closing(COST).toString(), /"cost":0\.0000425\}\}\n\n: apportion-cost/);
});

test('a usage that states its own cost keeps it', () => {
  const own = chunk('', USAGE.replace('}}', '},"cost":0.5}'));
  const { meter } = play([Buffer.from(TEXT + own + DONE)], { wantsUsage: true });
  assert.equal(meter.closing(COST).toString(), `${own}: apportion-cost 0.0000425 exact\n\n${DONE}`);
});

test('usage counts wherever it comes, even behind [DONE], and nothing behind [DONE] goes on', () => {
  const { passed, meter } = play([Buffer.from(without(TEXT) + DONE + TOTAL)], { wantsUsage: true });
  assert.equal(passed + meter.closing(COST).toString(), `${without(TEXT)}: apportion-cost 0.0000425 exact\n\n${DONE}`);
  assert.deepEqual([meter.facts().usage?.raw, meter.facts().usageComplete], [USAGE, true]);
});

test('the order of events, and how often each comes, never changes the usage', () => {
  const running = [1, 2, 3].map((count) =>
    chunk(
      '{"index":0,"delta":{"content":"a"}}',
      `{"prompt_tokens":9,"completion_tokens":${count},"total_tokens":${9 + count}}`,
    ),
  );
  const events = [ROLE, ...running, STOP, chunk('', '{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}')];
  const shuffled = fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 });
  fc.assert(
    fc.property(shuffled, (order) => {
      const { meter } = play([Buffer.from(order.join('') + DONE)], { wantsUsage: false });
      assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 3 });
    }),
  );
});

test('a word that is the name of a key is text', () => {
  for (const word of ['usage', 'error', 'delta', '\\"usage\\":{']) {
    const said = chunk(`{"index":0,"delta":{"content":"${word}"},"finish_reason":null}`, 'null');
    const { passed, meter } = play([Buffer.from(said + DONE)], { wantsUsage: false });
    assert.equal(passed, without(said), word);
    assert.deepEqual([meter.facts().failed, meter.facts().usage], [false, null], word);
    assert.equal(meter.facts().outputText, word.replaceAll('\\', ''));
  }
});

test("Groq's second usage, beside the first or instead of it, is read once", () => {
  const finish = (usage: string): string =>
    `data: {${HEAD},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":${USAGE}}${usage}}\n\n`;
  for (const events of [finish(''), finish(',"usage":null'), finish('') + TOTAL]) {
    const { meter } = play([Buffer.from(TEXT + events + DONE)], { wantsUsage: false });
    assert.deepEqual(meter.facts().usage?.meters, { input: 9, output_text: 2, output_reasoning: 0 });
  }
});

test('the models of a compound answer are billed each for its own', () => {
  const models = ['a', 'b'].map((model) => `{"model":"${model}","usage":${USAGE}}`).join();
  const last = `data: {${HEAD},"choices":[],"usage":${USAGE},"x_groq":{"usage_breakdown":{"models":[${models}]}}}\n\n`;
  const { meter } = play([Buffer.from(last + DONE)], { wantsUsage: false });
  const meters = { input: 9, output_text: 2, output_reasoning: 0 };
  assert.deepEqual(meter.facts().usage?.meters, {});
  assert.deepEqual(meter.facts().usage?.others, [
    { model: 'a', meters },
    { model: 'b', meters },
  ]);
});

test('a cost in the headers of a stream was sent before it was known: zero says nothing', () => {
  const quirks = { reportedCostHeader: 'x-cost' };
  const cost = (value: string): string | undefined =>
    play([STREAM], { wantsUsage: false, quirks, headers: { 'x-cost': value } }).meter.facts().usage?.reportedCost;
  assert.deepEqual(['0', '0.0', '0e0', '', '2.85e-05', '0.001'].map(cost), [
    undefined,
    undefined,
    undefined,
    undefined,
    '2.85e-05',
    '0.001',
  ]);
});

test('text beyond what is kept is counted at the density of what is kept', () => {
  const said = 'x'.repeat(1_000);
  const event = chunk(`{"index":0,"delta":{"content":"${said}"},"finish_reason":null}`, 'null');
  const { meter } = play(
    Array.from({ length: 1_000 }, () => Buffer.from(event)),
    { wantsUsage: false },
  );
  const { outputText, outputCharsBeyond } = meter.facts();
  assert.ok(Math.abs(outputText.length + outputCharsBeyond - 1_000_000) < 100, `${outputCharsBeyond}`);
});
