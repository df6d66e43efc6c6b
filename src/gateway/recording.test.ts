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
  const log = createLog({ level: 'silent', part: 'gateway' });
  const isStrict = (intent: string): boolean => intent.includes('strict');
  return {
    metrics,
    recording: new Recording({ journal: broken, failOpen, isStrict, leases: null, metrics, log, clock: systemClock }),
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
