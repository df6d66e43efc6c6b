import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { readMessageAnswer } from './answer.ts';
import { MessageStreamMeter } from './stream.ts';

const CONTEXT: AnswerContext = {
  request: {
    model: 'claude-sonnet-4-5',
    stream: true,
    wantsUsage: true,
    maxOutputTokens: 100,
    choices: 1,
    maxInputTokens: 100,
  },
  quirks: NO_QUIRKS,
  headers: {},
};

function event(name: string, fields: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...fields })}\n\n`;
}

function delta(index: number, fields: object): string {
  return event('content_block_delta', { index, delta: fields });
}

const HEAD = { id: 'msg_01', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929', content: [] };
const START_USAGE = {
  input_tokens: 472,
  cache_creation_input_tokens: 30,
  cache_read_input_tokens: 20,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
  output_tokens: 2,
  service_tier: 'standard',
};
const START = event('message_start', { message: { ...HEAD, usage: START_USAGE } });
const WRITTEN =
  event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }) +
  event('ping', {}) +
  delta(0, { type: 'thinking_delta', thinking: 'hmm "text": 🙂', estimated_tokens: null }) +
  delta(0, { type: 'signature_delta', signature: 'EqQBCgIYAhIM' }) +
  event('content_block_stop', { index: 0 }) +
  event('content_block_start', { index: 1, content_block: { type: 'text', text: 'A' } }) +
  delta(1, { type: 'text_delta', text: ' said\n"é"' }) +
  delta(1, { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'not written' } }) +
  event('content_block_stop', { index: 1 }) +
  event('content_block_start', { index: 2, content_block: { type: 'tool_use', id: 't', name: 'look', input: {} } }) +
  delta(2, { type: 'input_json_delta', partial_json: '{"q":' }) +
  delta(2, { type: 'input_json_delta', partial_json: '1}' }) +
  event('content_block_stop', { index: 2 });
const TEXT = 'hmm "text": 🙂A said\n"é"look{"q":1}';
const COUNTED = event('message_delta', {
  delta: { stop_reason: 'end_turn', stop_sequence: null },
  usage: { output_tokens: 89, output_tokens_details: { thinking_tokens: 12 } },
});
const STOP = event('message_stop', {});
const STREAM = Buffer.from(START + WRITTEN + COUNTED + STOP);
const COST = { usd: '0.0000425', state: 'exact' };
const INPUT = { input: 472, cache_read: 20, cache_write_5m: 10, cache_write_1h: 20 };
/** What `message_start` counts. */
const BEGUN = { ...INPUT, output_text: 2 };
const METERS = { ...INPUT, output_text: 77, output_reasoning: 12 };

function play(pieces: readonly Buffer[]): { passed: string; meter: MessageStreamMeter } {
  const meter = new MessageStreamMeter(CONTEXT);
  const passed = Buffer.concat(pieces.map((piece) => meter.push(piece) ?? Buffer.alloc(0))).toString();
  return { passed, meter };
}

function factsOf(text: string): AnswerFacts {
  return play([Buffer.from(text)]).meter.facts();
}

test('all events pass as they came; the terminal one waits for the cost', () => {
  const { passed, meter } = play([STREAM]);
  assert.equal(passed, START + WRITTEN + COUNTED);
  assert.equal(meter.finished(), true);
  assert.equal(meter.closing(COST).toString(), `: apportion-cost 0.0000425 exact\n\n${STOP}`);
});

test('id, model and usage are read from the events', () => {
  const { usage, ...rest } = play([STREAM]).meter.facts();
  assert.deepEqual(rest, {
    id: 'msg_01',
    model: 'claude-sonnet-4-5-20250929',
    usageComplete: true,
    outputText: '',
    outputCharsBeyond: 0,
    failed: false,
  });
  assert.deepEqual([usage?.meters, usage?.serviceTier, usage?.inconsistent], [METERS, 'standard', undefined]);
});

test('a stream cut into pieces at every byte gives the same bytes and the same facts', () => {
  const whole = play([STREAM]);
  for (let cut = 1; cut < STREAM.length; cut += 1) {
    const { passed, meter } = play([STREAM.subarray(0, cut), STREAM.subarray(cut)]);
    assert.equal(passed, whole.passed, `cut at ${cut}`);
    assert.deepEqual(meter.facts(), whole.meter.facts(), `cut at ${cut}`);
  }
  const single = play(Array.from(STREAM, (byte) => Buffer.from([byte])));
  assert.deepEqual([single.passed, single.meter.facts()], [whole.passed, whole.meter.facts()]);
});

test('a stream that breaks off at any byte keeps its exact input, and what was written for an estimate', () => {
  let written = '';
  for (let cut = 0; cut < STREAM.length; cut += 1) {
    const { passed, meter } = play([STREAM.subarray(0, cut)]);
    const facts = meter.facts();
    const counted = cut >= Buffer.byteLength(START + WRITTEN + COUNTED);
    const begun = cut >= Buffer.byteLength(START);
    assert.equal(facts.usageComplete, counted, `cut at ${cut}`);
    assert.deepEqual(facts.usage?.meters, counted ? METERS : begun ? BEGUN : undefined, `cut at ${cut}`);
    assert.ok(TEXT.startsWith(facts.outputText), `cut at ${cut}`);
    if (!counted) {
      assert.ok(facts.outputText.length >= written.length, `cut at ${cut}`);
      written = facts.outputText;
    }
    // What the caller has and what it gets at the end is the stream as far as it came, comments apart.
    const all = passed + meter.closing(COST).toString('utf8').replace(': apportion-cost 0.0000425 exact\n\n', '');
    assert.equal(all, STREAM.subarray(0, cut).toString(), `cut at ${cut}`);
  }
  assert.equal(written, TEXT);
});

test('a stream and an answer that is none give the same usage', () => {
  const usage = { ...START_USAGE, output_tokens: 89, output_tokens_details: { thinking_tokens: 12 } };
  const answer = readMessageAnswer(Buffer.from(JSON.stringify({ ...HEAD, usage })), CONTEXT);
  assert.deepEqual(play([STREAM]).meter.facts(), answer);
});

test('events that come twice change neither usage nor text', () => {
  const twice = START + event('ping', {}) + START + WRITTEN + COUNTED + COUNTED + STOP + STOP;
  assert.deepEqual(factsOf(twice), play([STREAM]).meter.facts());
  const { meter } = play([Buffer.from(twice)]);
  assert.equal(meter.closing(COST).toString(), `: apportion-cost 0.0000425 exact\n\n${STOP}`);
});

test('running totals are not the end: without a reason to stop the output is the least there was', () => {
  const running = event('message_delta', {
    delta: { stop_reason: null },
    usage: { output_tokens: 50, output_tokens_details: { thinking_tokens: 30 } },
  });
  const facts = factsOf(START + WRITTEN + running);
  assert.deepEqual(
    [facts.usageComplete, facts.usage?.meters, facts.outputText],
    [false, { ...INPUT, output_text: 50 }, TEXT],
  );
});

test('an error event is seen as a failure, passes, and is not text', () => {
  const error = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
  const { passed, meter } = play([Buffer.from(START + WRITTEN + error)]);
  assert.equal(passed, START + WRITTEN + error);
  const { failed, usageComplete, outputText, usage } = meter.facts();
  assert.deepEqual([failed, usageComplete, outputText, usage?.meters], [true, false, TEXT, BEGUN]);
  assert.equal(meter.finished(), false);
});

test('lines that end in CRLF, and events without a name, are read alike', () => {
  const expected = play([STREAM]).meter.facts();
  assert.deepEqual(factsOf(STREAM.toString().replaceAll('\n', '\r\n')), expected);
  assert.deepEqual(factsOf(STREAM.toString().replaceAll(/event: .*\n/g, '')), expected);
});

test('without usage the text that was delivered is kept', () => {
  const facts = factsOf(event('message_start', { message: HEAD }) + WRITTEN + STOP);
  assert.deepEqual([facts.usage, facts.usageComplete, facts.outputText], [null, false, TEXT]);
});

test('text beyond what is kept is counted in characters', () => {
  const piece = 'x'.repeat(200 * 1024);
  const facts = factsOf(START + delta(0, { type: 'text_delta', text: piece }).repeat(2));
  assert.deepEqual([facts.outputText.length, facts.outputCharsBeyond], [piece.length, piece.length]);
});

test('what a server tool found is no text of the model', () => {
  const found = event('content_block_start', {
    index: 0,
    content_block: { type: 'mcp_tool_result', content: [{ type: 'text', text: 'found' }] },
  });
  assert.equal(factsOf(START + found).outputText, '');
});
