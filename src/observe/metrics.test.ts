import assert from 'node:assert/strict';
import { test } from 'node:test';
import { picoUsd } from '#terms';
import { createMetrics, type CallEnd } from './index.ts';

const call: CallEnd = { provider: 'openai', model: 'gpt-4o', status: 'ok', state: 'exact', cost: picoUsd(21_500_000n) };

async function samples(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  const { text } = await metrics.page();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('a call counts by provider, model and status, its cost by state, and is no longer in flight', async () => {
  const metrics = createMetrics();
  metrics.callStarted();
  metrics.callStarted();
  metrics.callEnded(call);
  const page = await samples(metrics);
  assert.ok(page.includes('apportion_calls_total{provider="openai",model="gpt-4o",status="ok"} 1'));
  assert.ok(page.includes('apportion_cost_usd_total{state="exact"} 0.0000215'));
  assert.ok(page.includes('apportion_calls_in_flight 1'));
});

test('a call without a price adds no cost and counts as unpriced', async () => {
  const metrics = createMetrics();
  metrics.callEnded({ ...call, state: 'unpriced', cost: null });
  const page = await samples(metrics);
  assert.ok(page.includes('apportion_unpriced_calls_total{provider="openai",model="gpt-4o"} 1'));
  assert.ok(!page.some((line) => line.startsWith('apportion_cost_usd_total{')));
});

test('journal, lag and quarantine have their series, and every name begins with apportion_', async () => {
  const metrics = createMetrics();
  metrics.journalSynced(0.0003);
  metrics.journalFailed();
  metrics.ledgerLag(4);
  metrics.entriesQuarantined(5);
  const page = await samples(metrics);
  for (const line of [
    'apportion_journal_sync_seconds_count 1',
    'apportion_journal_failures_total 1',
    'apportion_ledger_lag_entries 4',
    'apportion_quarantined_entries 5',
  ]) {
    assert.ok(page.includes(line), line);
  }
  assert.deepEqual(
    page.filter((line) => !line.startsWith('apportion_')),
    [],
  );
});

test('ten thousand invented model names make a bounded number of series', async () => {
  const metrics = createMetrics();
  for (let n = 0; n < 10_000; n += 1) metrics.callEnded({ ...call, model: `invented-${n}` });
  const series = (await samples(metrics)).filter((line) => line.startsWith('apportion_calls_total'));
  assert.equal(series.length, 501);
  assert.ok(series.includes('apportion_calls_total{provider="openai",model="(other)",status="ok"} 9500'));
});
