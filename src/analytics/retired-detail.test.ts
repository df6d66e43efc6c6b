import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { costs, parseCostsQuery } from './costs.ts';
import { dimensions, parseDimensionsQuery } from './dimensions.ts';
import { entities, parseEntitiesQuery } from './entities.ts';
import { withinReach } from './reach.ts';
import type { DetailKept, StoreReader } from './reader.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseSessionQuery, session } from './session.ts';
import { parseSessionsQuery, sessions } from './sessions.ts';
import { parseSpendLogsQuery, parseSpendPageQuery, spendLogs, spendPage } from './spend/spend-logs.ts';
import { parseGlobalSpendTagsQuery, parseSpendTagsQuery, globalSpendTags, spendTags } from './spend/spend-tags.ts';
import { parseTagActivityQuery, tagActivity } from './spend/tag-activity.ts';
import { parseTagKeysQuery, tagKeys } from './tag-keys.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };
/** In the middle of a month that the store keeps together. */
const KEPT_FROM = '2025-01-03T00:00:00Z';

const BUILT_IN = ['entity', 'model', 'key', 'status', 'label', 'path', 'path:US', 'cost_state', 'hour', 'kind'];
const GROUPS = BUILT_IN.concat('key.team', 'tags.team:/', 'tags.customer', 'tags.end_user');

const COSTS: readonly Record<string, string>[] = [
  ...GROUPS.map((group_by) => ({ group_by, ...PERIOD })),
  { group_by: 'model', ...PERIOD, tags: 'team:eng,customer:acme' },
  { group_by: 'tags.team', start_date: '2025-01-02T10:07:00Z', end_date: '2025-01-03T10:52:30Z' },
];

async function costReports(store: StoreReader): Promise<ReadonlyMap<string, unknown>> {
  const answers = new Map<string, unknown>();
  for (const query of COSTS)
    answers.set(JSON.stringify(query), await costs({ store }, parseCostsQuery({ ...query, limit: '100' }, NOW)));
  for (const group_by of ['model', 'tags.team'])
    answers.set(
      `series ${group_by}`,
      await timeseries({ store }, parseTimeseriesQuery({ ...PERIOD, interval: 'day', group_by }, NOW)),
    );
  return answers;
}

/** Every report of sums there is, by what was asked. */
async function everyReport(store: StoreReader): Promise<ReadonlyMap<string, unknown>> {
  const tagged = { store, notes: () => Promise.resolve({ keys: new Map(), tags: new Map() }) };
  const spend = { store, keys: () => Promise.resolve(new Map()) };
  return new Map([
    ...(await costReports(store)),
    ['dimensions', await dimensions({ store }, parseDimensionsQuery(PERIOD, NOW))],
    ['entities', await entities({ store }, parseEntitiesQuery(PERIOD, NOW))],
    ['tag keys', await tagKeys(tagged, parseTagKeysQuery(PERIOD, NOW))],
    ['spend by day', await spendLogs(spend, parseSpendLogsQuery(PERIOD, NOW))],
    ['spend by tag', await spendTags(spend, parseSpendTagsQuery(PERIOD, NOW))],
    ['global spend', await globalSpendTags(spend, parseGlobalSpendTagsQuery(PERIOD, NOW))],
    ['activity', await tagActivity(spend, parseTagActivityQuery(PERIOD, NOW))],
  ]);
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
  { minLength: 2, maxLength: 2 },
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
    const [entries, sums] = [await everyReport(ledger.store), await costReports(ledger.summed)];
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

  it('a list says how far back it goes: sessions, their calls, and LiteLLM’s log have nothing older, and sums all of it', async () => {
    const ledger = await openSeededLedger();
    try {
      const body = { session_id: 's1', request_tags: ['team:eng'] };
      await ledger.add([
        { at: '2025-01-01T10:00:00Z', body, cost: 5n },
        { at: '2025-01-04T10:00:00Z', body, cost: 6n },
        { at: '2025-01-01T11:00:00Z', body: { ...body, session_id: 's2' }, cost: 7n },
      ]);
      assert.equal(await ledger.retireDetail(KEPT_FROM), 2);
      const detailKept = (): DetailKept => ({ days: 28, from: Date.parse(KEPT_FROM) as TimestampMs });
      const store: StoreReader = { ...ledger.store, detailKept };
      const list = await sessions({ store }, parseSessionsQuery(PERIOD, NOW));
      assert.deepEqual(
        [list.data.map(({ session_id: id, cost_exact: cost }) => [id, cost]), list.summary.without_session.cost_exact],
        [[['s1', '0.000000000006']], '0.000000000012'],
      );
      assert.deepEqual(list.detail_kept, { from: '2025-01-03T00:00:00.000Z', days: 28 });
      await assert.rejects(
        session({ store }, parseSessionQuery('s2', {}, NOW)),
        (error: unknown) => error instanceof ApportionError && /older than 28 days/.test(error.hint ?? ''),
      );
      const narrowed = withinReach(store, { kind: 'only', teams: ['core'], entities: null });
      assert.deepEqual(narrowed.detailKept?.(), detailKept());
      const page = await spendPage({ store, keys: () => Promise.resolve(new Map()) }, parseSpendPageQuery(PERIOD, NOW));
      assert.deepEqual([page.total, page.data.map(({ spend_exact: cost }) => cost)], [1, ['0.000000000006']]);
    } finally {
      await ledger.close();
    }
  });

  it('who is erased later is erased from what is left of it too', async () => {
    const ledger = await openSeededLedger();
    try {
      await ledger.add([{ at: '2025-01-01T10:00:00Z', body: { tags: { end_user: 'ann' } }, cost: 5n }]);
      await ledger.retireDetail(KEPT_FROM);
      await ledger.erase({ kind: 'tag', key: 'end_user', value: 'ann' });
      const query = parseCostsQuery({ ...PERIOD, group_by: 'tags.end_user' }, NOW);
      const { data } = await costs({ store: ledger.store }, query);
      assert.deepEqual(
        data.map(({ value, total_cost_exact: cost }) => [value, cost]),
        [['(erased)', '0.000000000005']],
      );
    } finally {
      await ledger.close();
    }
  });
});
