import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { ApportionError, parseUsd } from '#terms';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseTimeseriesQuery, timeseries, type TimeseriesAnswer } from './timeseries.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
  const of = (at: string, feature: string | null, cost: bigint): Seed => ({
    at,
    body: feature === null ? {} : { tags: { feature }, request_tags: [feature, 'all'] },
    cost,
  });
  await ledger.add([
    of('2025-01-01T10:00:00Z', 'chat', 1n),
    of('2025-01-01T11:00:00Z', 'search', 20n),
    of('2025-01-03T10:00:00Z', 'rare', 3n),
    of('2025-01-03T10:00:00Z', 'rarer', 2n),
    of('2025-01-03T10:30:00Z', 'chat', 100n),
    of('2025-01-03T23:30:00Z', null, 5n),
  ]);
});

after(async () => {
  await ledger.close();
});

function ask(query: Record<string, string>): Promise<TimeseriesAnswer> {
  return timeseries({ store: ledger.store }, parseTimeseriesQuery(query, NOW));
}

const period = { start_date: '2025-01-01', end_date: '2025-01-04' };

describe('a time series', () => {
  it('without a grouping has a point for every day, zero where nothing was spent', async () => {
    const answer = await ask(period);
    assert.deepEqual(
      answer.data.map(({ date, timestamp, total_cost_exact, total_events }) => [
        date,
        timestamp,
        total_cost_exact,
        total_events,
      ]),
      [
        ['2025-01-01', '2025-01-01T00:00:00.000Z', '0.000000000021', 2],
        ['2025-01-02', '2025-01-02T00:00:00.000Z', '0', 0],
        ['2025-01-03', '2025-01-03T00:00:00.000Z', '0.00000000011', 4],
        ['2025-01-04', '2025-01-04T00:00:00.000Z', '0', 0],
      ],
    );
    assert.equal(answer.interval, 'day');
    assert.deepEqual(answer.groups, []);
    assert.equal(answer.summary.total_cost_exact, '0.000000000131');
  });

  it('gives the dearest groups a series each and folds the rest into (other)', async () => {
    const answer = await ask({ ...period, group_by: 'tags.feature', limit: '2' });
    assert.deepEqual(
      answer.groups.map(({ value, untagged, other, total_cost_exact }) => [value, untagged, other, total_cost_exact]),
      [
        ['chat', false, false, '0.000000000101'],
        ['search', false, false, '0.00000000002'],
        ['(untagged)', true, false, '0.000000000005'],
        ['(other)', false, true, '0.000000000005'],
      ],
    );
    assert.deepEqual(
      new Map(answer.data.map(({ date, value, total_cost_exact }) => [`${date} ${value}`, total_cost_exact])),
      new Map([
        ['2025-01-01 chat', '0.000000000001'],
        ['2025-01-01 search', '0.00000000002'],
        ['2025-01-03 (untagged)', '0.000000000005'],
        ['2025-01-03 (other)', '0.000000000005'],
        ['2025-01-03 chat', '0.0000000001'],
      ]),
    );
  });

  it('adds up, over all points of every grouping, to the summary', async () => {
    for (const group_by of ['entity', 'model', 'provider', 'key', 'status', 'tags.feature', 'tags.none']) {
      for (const interval of ['hour', 'day', 'week', 'month']) {
        const answer = await ask({ ...period, group_by, interval, limit: '1', timezone: 'Asia/Kolkata' });
        const sum = answer.data.reduce((all, point) => all + (parseUsd(point.total_cost_exact) ?? -1n), 0n);
        assert.equal(sum, parseUsd(answer.summary.total_cost_exact), `${group_by} by ${interval}`);
      }
    }
  });

  it('over labels has no (other), because its rows overlap', async () => {
    const answer = await ask({ ...period, group_by: 'label', limit: '1' });
    assert.equal(answer.overlapping, true);
    assert.deepEqual(
      answer.groups.map(({ value }) => value),
      ['all', '(untagged)'],
    );
    assert.ok(answer.data.every(({ other }) => other === false));
  });

  it('by hour writes the hour with its offset, and by week and month starts where those start', async () => {
    const hours = await ask({
      start_date: '2025-01-03',
      end_date: '2025-01-03',
      interval: 'hour',
      timezone: 'Asia/Kolkata',
    });
    assert.equal(hours.data.length, 24);
    assert.equal(hours.data[0]?.date, '2025-01-03T00:00:00+05:30');
    assert.equal(hours.data[0]?.timestamp, '2025-01-02T18:30:00.000Z');
    assert.deepEqual(
      hours.data.filter(({ total_events }) => total_events > 0).map(({ date }) => date),
      ['2025-01-03T15:00:00+05:30', '2025-01-03T16:00:00+05:30'],
    );
    const weeks = await ask({ ...period, end_date: '2025-01-13', interval: 'week' });
    assert.deepEqual(
      weeks.data.map(({ date }) => date),
      ['2024-12-30', '2025-01-06', '2025-01-13'],
    );
  });

  it('of too many buckets, or grouped by time, is refused with what to do', () => {
    assert.throws(
      () => parseTimeseriesQuery({ start_date: '1990-01-01', interval: 'hour' }, NOW),
      (error) => error instanceof ApportionError && error.param === 'interval',
    );
    assert.throws(
      () => parseTimeseriesQuery({ ...period, group_by: 'week' }, NOW),
      (error) => error instanceof ApportionError && /interval=week/.test(error.hint ?? ''),
    );
  });
});
