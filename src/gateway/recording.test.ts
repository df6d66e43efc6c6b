import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, createMetrics } from '#observe';
import { systemClock } from '#std';
import { ApportionError, picoUsd } from '#terms';
import { Recording, type RecordingDeps } from './recording.ts';

/** A disk that has refused: the journal's own tests show how it comes to this. */
const refused = () => Promise.reject(new ApportionError('journal_unavailable', 'The disk is full.'));
const broken: RecordingDeps['journal'] = {
  reserve: refused,
  settle: refused,
  finish: () => undefined,
  peek: async () => [],
  state: () => 'failed',
};
const WISH = { expected: null, takes: null };

function open(failOpen: boolean) {
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog({ level: 'error', part: 'gateway', stream: { write: (line) => void lines.push(line) } });
  const isStrict = (intent: string): boolean => intent.includes('strict');
  let nowMs = 0;
  const clock = { ...systemClock, elapsedMs: () => nowMs };
  return {
    metrics,
    lines,
    tick: (ms: number) => (nowMs += ms),
    recording: new Recording({ journal: broken, failOpen, isStrict, leases: null, metrics, log, clock }),
  };
}

test('while the journal cannot write, calls are refused and readiness says why', async () => {
  const { recording } = open(false);
  assert.equal(recording.refusal(), 'the journal cannot write');
  await assert.rejects(recording.reserve('call_1.1', '{}', WISH), { code: 'journal_unavailable' });
  await assert.rejects(recording.settle('call_1.1', '{}', picoUsd(1n)), { code: 'journal_unavailable' });
});

test('with fail_open calls pass, and what they cost is counted', async () => {
  const { recording, metrics } = open(true);
  assert.equal(recording.refusal(), null);
  await recording.reserve('call_1.1', '{}', WISH);
  assert.equal(await recording.settle('call_1.1', '{}', picoUsd(2_000_000_000_000n)), 'unrecorded');
  assert.equal(await recording.settle('call_2.1', '{}', null), 'unrecorded');
  const { text } = await metrics.page();
  assert.match(text, /^apportion_unrecorded_calls_total 2$/m);
  assert.match(text, /^apportion_unrecorded_cost_usd_total 2$/m);
});

test('with fail_open a call that falls in a strict budget is refused all the same: nobody knows what is left of it', async () => {
  const { recording, metrics } = open(true);
  await assert.rejects(recording.reserve('call_1.1', '{"strict":1}', WISH), { code: 'journal_unavailable' });
  assert.equal((await recording.reserve('call_2.1', '{}', WISH)).kind, 'admitted');
  assert.match((await metrics.page()).text, /^apportion_unrecorded_calls_total 0$/m);
});

test('a thousand refused calls are counted, and told in one line every ten seconds', async () => {
  const { recording, metrics, lines, tick } = open(false);
  const error = new ApportionError('journal_unavailable', 'The disk is full.');
  for (let call = 0; call < 1000; call += 1) recording.refused(error, `call_${call}`);
  assert.equal(lines.length, 1);
  tick(10_000);
  recording.refused(error, 'call_last');
  const last: unknown = JSON.parse(lines.at(-1) ?? '');
  assert.partialDeepStrictEqual(last, { call_id: 'call_last', refused: 1001, err: { message: 'The disk is full.' } });
  assert.equal(lines.length, 2);
  assert.match((await metrics.page()).text, /^apportion_journal_failures_total 1001$/m);
});
