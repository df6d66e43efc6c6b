import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, createMetrics } from '#observe';
import { systemClock } from '#std';
import { ApportionError, picoUsd } from '#terms';
import { Recording, type RecordingDeps } from './recording.ts';

/** A disk that has refused: the journal's own tests show how it comes to this. */
const refused = () => Promise.reject(new ApportionError('journal_unavailable', 'The disk is full.'));
const broken: RecordingDeps['journal'] = { begin: refused, settle: refused, state: () => 'failed' };

function open(failOpen: boolean) {
  const metrics = createMetrics();
  const log = createLog({ level: 'silent', part: 'gateway' });
  return { metrics, recording: new Recording({ journal: broken, failOpen, metrics, log, clock: systemClock }) };
}

test('while the journal cannot write, calls are refused and readiness says why', async () => {
  const { recording } = open(false);
  assert.equal(recording.refusal(), 'the journal cannot write');
  await assert.rejects(recording.begin('call_1.1', '{}'), { code: 'journal_unavailable' });
  await assert.rejects(recording.settle('call_1.1', '{}', picoUsd(1n)), { code: 'journal_unavailable' });
});

test('with fail_open calls pass, and what they cost is counted', async () => {
  const { recording, metrics } = open(true);
  assert.equal(recording.refusal(), null);
  await recording.begin('call_1.1', '{}');
  assert.equal(await recording.settle('call_1.1', '{}', picoUsd(2_000_000_000_000n)), 'unrecorded');
  assert.equal(await recording.settle('call_2.1', '{}', null), 'unrecorded');
  const { text } = await metrics.page();
  assert.match(text, /^apportion_unrecorded_calls_total 2$/m);
  assert.match(text, /^apportion_unrecorded_cost_usd_total 2$/m);
});
