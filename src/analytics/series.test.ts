import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import type { Bindings } from './bindings.ts';
import { bucketsOf, groupingOf } from './breakdown.ts';
import { parseCostsQuery } from './costs.ts';
import { parseGroupBy } from './group-by.ts';
import { openReport } from './report.ts';
import { seriesIn } from './series.ts';
import { seriesInSteps } from './series-in-steps.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;

const GROUPS = ['entity', 'model', 'key', 'label', 'path', 'path:US', 'tags.team', 'tags.team:/'] as const;

let ledger: SeededLedger;

const TAGS = ['beta', 'US/Texas', 'US/California/SF', 'US', 'team:eng', 'team:eng/search', 'team:ops', 'env:prod'];

/** Many combinations, with costs that tie now and then. */
const SEEDS: readonly Seed[] = Array.from({ length: 60 }, (_, n) => ({
  at: new Date(Date.parse('2025-01-01T00:00:00Z') + n * 3_333_333).toISOString(),
  body: { request_tags: TAGS.filter((tag, at) => (n * 7 + at * 3) % 5 < 2 && !(tag === 'team:ops' && n % 2 === 0)) },
  model: ['gpt-4o', 'o4-mini', 'claude'][n % 3] ?? '',
  provider: ['openai', 'anthropic'][n % 2] ?? '',
  key: n % 4 === 0 ? { id: 'key_1', name: 'same' } : { id: 'key_2', name: 'same' },
  status: n % 9 === 0 ? 'upstream_error' : 'ok',
  cost: BigInt((n % 6) * 1_000),
  billed: BigInt((n % 6) * 1_100),
  region: n % 5 === 0 ? 'eu' : '',
}));

before(async () => {
  ledger = await openSeededLedger();
  await ledger.add(SEEDS);
});

after(() => ledger.close());

describe('a time series in one statement', () => {
  for (const groupBy of GROUPS) {
    it(`has the groups, points and total of one in steps, by ${groupBy}`, async () => {
      for (const limit of [2, 100]) {
        const { filter } = parseCostsQuery(
          { start_date: '2025-01-01', end_date: '2025-01-31', group_by: groupBy },
          NOW,
        );
        const report = openReport({ store: ledger.store }, filter, undefined);
        const ask = {
          groupingFor: (bindings: Bindings) => groupingOf(parseGroupBy(groupBy), report, bindings),
          time: bucketsOf('day', { ...filter.period, timeZone: 'Asia/Kathmandu' }),
          limit,
        };
        const steps = await seriesInSteps(report, ask);
        assert.ok(steps.points.length > 1 && steps.total.events > 0);
        assert.deepEqual(await seriesIn(report, ask), steps, `${groupBy}, ${limit}`);
      }
    });
  }

  it('is given up where there are too many groups to be ordered at once', async () => {
    const { filter } = parseCostsQuery({ start_date: '2025-01-01', end_date: '2025-01-31', group_by: 'model' }, NOW);
    const report = openReport({ store: ledger.store }, filter, undefined);
    const series = await seriesIn(report, {
      // A group for each of many numbers of each entry.
      groupingFor: (bindings) => ({
        ...groupingOf({ kind: 'model' }, report, bindings),
        key: 'toString(arrayJoin(range(20000)))',
      }),
      time: bucketsOf('day', filter.period),
      limit: 3,
    });
    assert.equal(series, null);
  });
});
