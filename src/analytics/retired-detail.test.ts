import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { costs, parseCostsQuery } from './costs.ts';
import { dimensions, parseDimensionsQuery } from './dimensions.ts';
import { entities, parseEntitiesQuery } from './entities.ts';
import { parseTagHygieneQuery, tagHygiene } from './hygiene/hygiene.ts';
import type { StoreReader } from './reader.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseSpendLogsQuery, spendLogs } from './spend/spend-logs.ts';
import { parseGlobalSpendTagsQuery, parseSpendTagsQuery, globalSpendTags, spendTags } from './spend/spend-tags.ts';
import { parseTagActivityQuery, tagActivity } from './spend/tag-activity.ts';
import { parseTagKeysQuery, tagKeys } from './tag-keys.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };
/** In the middle of a month that the store keeps together. */
const KEPT_FROM = '2025-01-03T00:00:00Z';

const GROUPS = [
  ...['entity', 'model', 'key', 'status', 'label', 'path', 'path:US', 'cost_state', 'hour', 'kind', 'key.team'],
  ...['tags.team:/', 'tags.customer', 'tags.end_user'],
];

const COSTS: readonly Record<string, string>[] = [
  ...GROUPS.map((group_by) => ({ group_by, ...PERIOD })),
  { group_by: 'model', ...PERIOD, tags: 'team:eng,customer:acme' },
  { group_by: 'tags.team', start_date: '2025-01-02T10:07:00Z', end_date: '2025-01-03T10:52:30Z' },
];

/** Every report of sums there is, by what was asked. */
async function everyReport(store: StoreReader): Promise<ReadonlyMap<string, unknown>> {
  const tagged = { store, notes: () => Promise.resolve({ keys: new Map(), tags: new Map() }) };
  const spend = { store, keys: () => Promise.resolve(new Map()) };
  const answers = new Map<string, unknown>();
  for (const query of COSTS)
    answers.set(
      `costs ${JSON.stringify(query)}`,
      await costs({ store }, parseCostsQuery({ ...query, limit: '100' }, NOW)),
    );
  for (const group_by of ['model', 'tags.team'])
    answers.set(
      `series ${group_by}`,
      await timeseries({ store }, parseTimeseriesQuery({ ...PERIOD, interval: 'day', group_by }, NOW)),
    );
  answers.set('dimensions', await dimensions({ store }, parseDimensionsQuery(PERIOD, NOW)));
  answers.set('entities', await entities({ store }, parseEntitiesQuery(PERIOD, NOW)));
  answers.set('tag keys', await tagKeys(tagged, parseTagKeysQuery(PERIOD, NOW)));
  answers.set('hygiene', await tagHygiene(tagged, parseTagHygieneQuery(PERIOD, NOW)));
  answers.set('spend by day', await spendLogs(spend, parseSpendLogsQuery(PERIOD, NOW)));
  answers.set('spend by tag', await spendTags(spend, parseSpendTagsQuery(PERIOD, NOW)));
  answers.set('global spend', await globalSpendTags(spend, parseGlobalSpendTagsQuery(PERIOD, NOW)));
  answers.set('activity', await tagActivity(spend, parseTagActivityQuery(PERIOD, NOW)));
  return answers;
}

const money = fc.bigInt({ min: 0n, max: 10n ** 15n });

const seed: fc.Arbitrary<Seed> = fc.record({
  at: fc
    .integer({ min: Date.parse('2025-01-01T00:00:00Z'), max: Date.parse('2025-01-05T00:00:00Z') })
    .map((ms) => new Date(ms).toISOString()),
  body: fc.record({
    request_tags: fc.subarray(['beta', 'US/Texas', 'US/California/SF', 'team:eng', 'team:eng/search', 'end_user:u1']),
    entity_type: fc.constant('customer'),
    entity_id: fc.constantFrom('acme', 'globex'),
    session_id: fc.constantFrom('s1', 's2', 's3'),
  }),
  model: fc.constantFrom('gpt-4o', 'o4-mini'),
  key: fc.constantFrom({ id: 'key_1', team: 'core' }, { id: 'key_2', owner: 'bob' }),
  cost: money,
  billed: money,
  state: fc.constantFrom('exact', 'estimated', 'unpriced', 'in_doubt', 'reported', 'partial_exact'),
  status: fc.constantFrom('ok', 'upstream_error'),
});

type Filling = {
  readonly seeds: readonly Seed[];
  readonly corrected: readonly { readonly which: number; readonly cost: bigint }[];
};

const fillings: fc.Arbitrary<readonly Filling[]> = fc.array(
  fc.record({
    seeds: fc.array(seed, { minLength: 3, maxLength: 12 }),
    corrected: fc.array(fc.record({ which: fc.nat(), cost: money }), { maxLength: 5 }),
  }),
  { minLength: 2, maxLength: 3 },
);

async function fill(ledger: SeededLedger, { seeds, corrected }: Filling): Promise<void> {
  const ids = await ledger.add(seeds);
  for (const { which, cost } of corrected)
    await ledger.correct([{ entry: `${ids[which % ids.length]}.1.attempt.0`, cost, state: 'exact' }]);
}

type Course = { readonly filled: readonly Filling[]; readonly retire: 'never' | 'before summing up' | 'after it' };

/** What every report says in the end, of entries one by one and of their sums. The engine opens one store at a time. */
async function reportsAfter({ filled, retire }: Course): Promise<ReadonlyMap<string, unknown>> {
  const ledger = await openSeededLedger({ sumEntries: 4 });
  try {
    for (const filling of filled) {
      await fill(ledger, filling);
      if (retire === 'before summing up') await ledger.retireDetail(KEPT_FROM);
      await ledger.sumUp();
      if (retire === 'after it') await ledger.retireDetail(KEPT_FROM);
    }
    if (retire !== 'never') assert.equal(await ledger.retireDetail(KEPT_FROM), 0);
    const [entries, sums] = [await everyReport(ledger.store), await everyReport(ledger.summed)];
    return new Map([...entries, ...Array.from(sums, ([asked, answer]) => [`${asked}, of sums`, answer] as const)]);
  } finally {
    await ledger.close();
  }
}

/** Everything but the time of asking. */
function untimed(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'as_of' in answer ? { ...answer, as_of: null } : answer;
}

describe('detail that is over its retention', () => {
  it('was in no sum: every report is as it was, whatever was corrected, summed up before and after, and comes late', async () => {
    await fc.assert(
      fc.asyncProperty(fillings, fc.constantFrom('before summing up', 'after it'), async (filled, retire) => {
        const owed = await reportsAfter({ filled, retire: 'never' });
        const has = await reportsAfter({ filled, retire });
        for (const [asked, answer] of owed) assert.deepEqual(untimed(has.get(asked)), untimed(answer), asked);
      }),
      { numRuns: 2 },
    );
  });
});
