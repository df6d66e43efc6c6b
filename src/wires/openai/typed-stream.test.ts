import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '#terms';
import { NO_QUIRKS, type AnswerContext, type StreamMeter, type Wire } from '../wire.ts';
import { openAiImages, openAiResponses } from './index.ts';

const COST = { usd: '0.0000425', state: 'exact' };
const COMMENT = ': apportion-cost 0.0000425 exact\n\n';
const DONE = 'data: [DONE]\n\n';

function event(type: string, more: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

function play(wire: Wire, stream: string, choices = 1): { passed: string; meter: StreamMeter } {
  const context: AnswerContext = {
    request: { model: 'm', stream: true, wantsUsage: true, maxOutputTokens: null, choices, maxInputTokens: null },
    quirks: NO_QUIRKS,
    headers: {},
  };
  const meter = wire.meterStream(context);
  return { passed: meter.push(Buffer.from(stream))?.toString() ?? '', meter };
}

const drawn = (output: number): string =>
  event('image_generation.completed', {
    b64_json: 'iVBORw0KGgo=',
    usage: { input_tokens: 10, output_tokens: output, total_tokens: 10 + output },
  });

test('several images end one by one: the answer ends with the last of them', () => {
  const { passed, meter } = play(openAiImages, drawn(4), 2);
  assert.deepEqual([passed, meter.finished()], ['', false]);
  assert.equal(meter.push(Buffer.from(drawn(9)))?.toString(), drawn(4));
  assert.equal(meter.finished(), true);
  assert.equal(meter.closing(COST).toString(), COMMENT + drawn(9));
  const { usage } = meter.facts();
  assert.deepEqual([usage?.meters, usage?.inconsistent], [{ input: 10, output_image: 9 }, true]);
});

test('an event behind the one that seemed the last releases it', () => {
  const partial = event('image_generation.partial_image', { b64_json: 'iVBORw0KGgo=' });
  const { passed, meter } = play(openAiImages, drawn(4) + partial, 2);
  assert.deepEqual([passed, meter.finished()], [drawn(4) + partial, false]);
  assert.equal(meter.closing(COST).toString(), COMMENT);
});

const LAST = event('response.completed', {
  response: { id: 'resp_1', model: 'gpt-5', usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } },
});

test('what a server sends behind the last event goes to nobody', () => {
  const { passed, meter } = play(openAiResponses, LAST + DONE);
  assert.deepEqual([passed, meter.finished()], ['', true]);
  assert.equal(meter.push(Buffer.from(DONE)), null);
  assert.equal(meter.closing(COST).toString(), COMMENT + LAST);
  assert.deepEqual(meter.facts().usage?.meters, { input: 3, output_text: 2 });
});

test('an event that only speaks of a last one is none', () => {
  const said = event('response.output_text.delta', { delta: 'response.completed' });
  const unnamed = `data: ${JSON.stringify({ type: 'response.output_text.delta', delta: 'x', note: 'response.completed' })}\n\n`;
  const { passed, meter } = play(openAiResponses, said + unnamed);
  assert.deepEqual([passed, meter.finished()], [said + unnamed, false]);
  assert.equal(meter.facts().outputText, 'response.completedx');
});

test('an event beyond the limit is passed on unread', () => {
  const huge = `data: {"type":"response.output_text.delta","delta":"${'x'.repeat(LIMITS.streamEventBytes)}`;
  const { passed, meter } = play(openAiResponses, huge);
  assert.equal(passed, huge);
  assert.equal(meter.push(Buffer.from('"}\n\n'))?.toString(), '"}\n\n');
  assert.equal(meter.push(Buffer.from(LAST)), null);
  assert.equal(meter.finished(), true);
});
