import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { formatUsd, picoUsd } from '#terms';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z') as TimestampMs;
const HALF_HOUR_MS = 1_800_000;

const STARTS = Array.from({ length: 48 * 34 }, (_, at) => Date.parse('2026-10-02T00:00:00Z') + at * HALF_HOUR_MS);

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger({ sumEntries: 1000 });
  await ledger.add(STARTS.map((ms, at) => ({ at: new Date(ms).toISOString(), cost: BigInt(at) })));
  await ledger.sumUp();
});

after(() => ledger.close());

/** What calls that began from one instant on, and before another, cost. */
function spentBetween(fromMs: number, endMs: number): string {
  const costs = STARTS.map((ms, at) => (ms >= fromMs && ms < endMs ? BigInt(at) : 0n));
  return formatUsd(picoUsd(costs.reduce((sum, cost) => sum + cost, 0n)));
}

// Vancouver and Casablanca gave up changing their clocks in 2026, which an engine may not know; Lord Howe changes its by half an hour.
describe('in the time of a zone', () => {
  for (const timezone of ['America/Vancouver', 'Africa/Casablanca', 'Australia/Lord_Howe', 'Europe/Berlin']) {
    for (const interval of ['day', 'hour']) {
      it(`each ${interval} of ${timezone} has what was spent until the next one`, async () => {
        const query = { start_date: '2026-10-03', end_date: '2026-11-03', timezone, interval };
        for (const store of [ledger.store, ledger.summed]) {
          const { data } = await timeseries({ store }, parseTimeseriesQuery(query, NOW));
          const starts = data.map(({ timestamp }) => Date.parse(timestamp));
          const ends = [...starts.slice(1), Date.parse('2026-11-05')];
          const whole = data.slice(0, -1);
          assert.deepEqual(
            whole.map(({ date, total_cost_exact }) => [date, total_cost_exact]),
            whole.map(({ date }, at) => [date, spentBetween(starts[at] ?? NaN, ends[at] ?? NaN)]),
          );
          assert.deepEqual([data[0]?.date.slice(0, 10), data.at(-1)?.date.slice(0, 10)], ['2026-10-03', '2026-11-03']);
          const grouped = await timeseries({ store }, parseTimeseriesQuery({ ...query, group_by: 'model' }, NOW));
          const spent = data.filter(({ total_events }) => total_events > 0);
          assert.deepEqual(
            grouped.data.map(({ date, total_cost_exact }) => [date, total_cost_exact]),
            spent.map(({ date, total_cost_exact }) => [date, total_cost_exact]),
          );
        }
      });
    }
  }
});
