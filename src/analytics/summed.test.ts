import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { parseUsd } from '#terms';
import { costs, parseCostsQuery } from './costs.ts';
import { dimensions, parseDimensionsQuery } from './dimensions.ts';
import { entities, parseEntitiesQuery } from './entities.ts';
import { events, parseEventsQuery } from './events.ts';
import { parseTagHygieneQuery, tagHygiene } from './hygiene/hygiene.ts';
import { steps, take } from './ledger-steps.fixture.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseSessionsQuery, sessions } from './sessions.ts';
import {
  allTagNames,
  globalSpendTags,
  parseGlobalSpendTagsQuery,
  parseSpendTagsQuery,
  spendTags,
} from './spend/spend-tags.ts';
import { parseTagKeyQuery, tagKey } from './tag-key.ts';
import { parseTagKeysQuery, tagKeys, type TagDeps } from './tag-keys.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';
import { withinReach } from './reach.ts';
import type { StoreReader } from './reader.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };

const GROUPS = [
  'entity',
  'model',
  'provider',
  'key',
  'status',
  'label',
  'path',
  'path:US',
  'cost_state',
  'day',
  'hour',
  'cause',
  'region',
  'route',
  'service_tier',
  'kind',
  'key.team',
  'key.owner',
  'tags.team',
  'tags.team:/',
  'tags.customer',
] as const;

const QUERIES: readonly Record<string, string>[] = [
  ...GROUPS.map((group_by) => ({ group_by, ...PERIOD })),
  { group_by: 'model', ...PERIOD, timezone: 'Asia/Kathmandu' },
  { group_by: 'tags.team', start_date: '2025-01-02T10:07:00Z', end_date: '2025-01-03T10:52:30Z' },
  { group_by: 'tags.team', ...PERIOD, tags: 'team:eng' },
  { group_by: 'day', ...PERIOD, tags: 'team:eng' },
  { group_by: 'model', ...PERIOD, tags: 'team:(untagged)' },
  { group_by: 'model', ...PERIOD, tags: 'team:eng,customer:acme' },
  { group_by: 'day', ...PERIOD, status: 'upstream_error' },
  { group_by: 'day', ...PERIOD, provider: 'openai' },
  { group_by: 'provider', ...PERIOD, provider: 'openai' },
  { group_by: 'day', ...PERIOD, 'key.team': '(untagged)' },
  { group_by: 'day', ...PERIOD, 'key.id': 'key_1' },
  { group_by: 'day', ...PERIOD, region: 'eu', kind: 'attempt' },
  { group_by: 'day', ...PERIOD, kind: 'correction' },
];

/** Periods of whole days, and others. Each list is asked of one of them in a run. */
const LIST_PERIODS: readonly Record<string, string>[] = [
  {},
  PERIOD,
  { ...PERIOD, timezone: 'Asia/Kathmandu' },
  { start_date: '2025-01-02T10:07:00Z', end_date: '2025-01-03T10:52:30Z' },
];

type Ask = (deps: TagDeps, period: Record<string, string>) => Promise<object>;

/** What there is of everything. */
const INVENTORIES: Readonly<Record<string, Ask>> = {
  dimensions: (deps, period) => dimensions(deps, parseDimensionsQuery(period, NOW)),
  entities: (deps, period) => entities(deps, parseEntitiesQuery(period, NOW)),
  'a page of entities': (deps, period) =>
    entities(deps, parseEntitiesQuery({ ...period, limit: '1', offset: '1' }, NOW)),
  'no page of entities': (deps, period) => entities(deps, parseEntitiesQuery({ ...period, offset: '50' }, NOW)),
  teams: (deps, period) => entities(deps, parseEntitiesQuery({ ...period, type: 'team' }, NOW)),
  sessions: (deps, period) => sessions(deps, parseSessionsQuery(period, NOW)),
  'dearest sessions': (deps, period) =>
    sessions(deps, parseSessionsQuery({ ...period, sort: 'cost', limit: '2' }, NOW)),
  'longest sessions': (deps, period) =>
    sessions(deps, parseSessionsQuery({ ...period, sort: 'duration', offset: '1' }, NOW)),
  'sessions by turns': (deps, period) => sessions(deps, parseSessionsQuery({ ...period, sort: 'turns' }, NOW)),
  'sessions far behind': (deps, period) => sessions(deps, parseSessionsQuery({ ...period, offset: '10000' }, NOW)),
  'states over days': (deps, period) =>
    timeseries(
      { ...deps },
      parseTimeseriesQuery({ ...PERIOD, ...period, interval: 'day', group_by: 'cost_state' }, NOW),
    ),
  'tag keys': (deps, period) => tagKeys(deps, parseTagKeysQuery(period, NOW)),
  'a tag key': (deps, period) => tagKey(deps, parseTagKeyQuery('team', period, NOW)),
  'a tag key by time': (deps, period) => tagKey(deps, parseTagKeyQuery('team', { ...period, sort: 'recent' }, NOW)),
  hygiene: (deps, period) => tagHygiene(deps, parseTagHygieneQuery(period, NOW)),
  'spend by tag': (deps, period) => spendTags(deps, parseSpendTagsQuery(period, NOW)),
  'spend by some tags': (deps, period) =>
    globalSpendTags(deps, parseGlobalSpendTagsQuery({ ...period, tags: 'beta,team:eng' }, NOW)),
  'names of tags': (deps, period) => allTagNames(deps, parseSpendTagsQuery(period, NOW)),
};

const answers = (store: StoreReader, query: Record<string, string>) =>
  costs({ store }, parseCostsQuery({ ...query, limit: '100' }, NOW));

/** Everything but the time of asking. */
const told = (answer: object): object => (Array.isArray(answer) ? answer : { ...answer, as_of: null });

/** Some dimensions have so many values that they are not summed up. */
function partlySummed(store: StoreReader, which: number): StoreReader {
  const lacks = (dimension: string): boolean => (dimension.length + which) % 3 === 0;
  return { ...store, sums: (dimension, asOf) => (lacks(dimension) ? null : (store.sums?.(dimension, asOf) ?? null)) };
}

/** Lists of everything, whose tag key may not be in use. */
async function inventory(store: StoreReader, ask: Ask, period: Record<string, string>): Promise<object> {
  const notes = () =>
    Promise.resolve({ keys: new Map([['team', { description: null, owner: null }]]), tags: new Map() });
  return told(await ask({ store, notes }, period));
}

function exact(text: string): bigint {
  const amount = parseUsd(text);
  assert.ok(amount !== undefined);
  return amount;
}

describe('sums of entries', () => {
  it('answer every report as the entries do, whatever was added late, corrected, repeated and erased', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const ledger = await openSeededLedger({ sumEntries: 4 });
        try {
          const entries: string[] = [];
          for (const step of taken) await take(ledger, step, entries);
          for (const query of QUERIES) {
            const raw = await answers(ledger.store, query);
            const summed = await answers(ledger.summed, query);
            assert.deepEqual(told(summed), told(raw), JSON.stringify(query));
            const parts = summed.data.reduce((sum, { total_cost_exact }) => sum + exact(total_cost_exact), 0n);
            if (!summed.overlapping) assert.equal(parts, exact(summed.summary.total_cost_exact));
          }
          const partly = partlySummed(ledger.summed, taken.length);
          assert.deepEqual(
            told(await answers(partly, { group_by: 'cost_state', ...PERIOD })),
            told(await answers(ledger.store, { group_by: 'cost_state', ...PERIOD })),
          );
          for (const [at, [name, ask]] of Object.entries(INVENTORIES).entries()) {
            const store = (at + taken.length) % 3 === 0 ? partly : ledger.summed;
            const period = LIST_PERIODS[(at + taken.length) % LIST_PERIODS.length] ?? PERIOD;
            const raw = await inventory(ledger.store, ask, period);
            assert.deepEqual(await inventory(store, ask, period), raw, `${name} ${JSON.stringify(period)}`);
          }
        } finally {
          await ledger.close();
        }
      }),
      { numRuns: 3 },
    );
  });
});

describe('with everything summed up', () => {
  let ledger: SeededLedger;
  const asked: string[] = [];
  let watched: StoreReader;

  before(async () => {
    ledger = await openSeededLedger();
    const body = { request_tags: ['team:eng', 'beta'], entity_type: 'customer', entity_id: 'acme' };
    await ledger.add([
      { at: '2025-01-01T10:00:00Z', body, cost: 5n },
      { at: '2025-01-01T10:20:00Z', body, cost: 6n },
      { at: '2025-01-03T10:00:00Z', cost: 7n },
    ]);
    await ledger.sumUp();
    watched = {
      ...ledger.summed,
      query: (sql, params, options) => {
        asked.push(sql);
        return ledger.store.query(sql, params, options);
      },
    };
  });

  after(() => ledger.close());

  it('a series, a breakdown and the total of a list read the sums', async () => {
    asked.length = 0;
    await timeseries(
      { store: watched },
      parseTimeseriesQuery({ ...PERIOD, interval: 'day', group_by: 'tags.team' }, NOW),
    );
    await answers(watched, { ...PERIOD, group_by: 'model' });
    assert.deepEqual(
      asked.filter((sql) => !sql.includes('FROM sums')),
      [],
    );
    const list = await events({ store: watched }, parseEventsQuery({ tags: 'team:eng' }, NOW));
    assert.deepEqual([list.summary.total_cost_exact, list.pagination.total], ['0.000000000011', 2]);
    assert.deepEqual(
      asked.filter((sql) => sql.includes('sum(cost)') && !sql.includes('FROM sums')),
      [],
    );
  });

  it('what came after is read beside them, and what a report shall not see is not', async () => {
    await ledger.add([{ at: '2025-01-01T09:00:00Z', cost: 100n }]);
    const total = async (): Promise<string> =>
      (await answers(ledger.summed, { ...PERIOD, group_by: 'day' })).summary.total_cost_exact;
    assert.equal(await total(), '0.000000000118');
    ledger.showUpTo(2);
    assert.equal(await total(), '0.000000000011');
    ledger.showUpTo(4);
  });

  it('whoever may not see everything reads entries', async () => {
    const narrowed = withinReach(watched, { kind: 'only', teams: ['core'], entities: null });
    asked.length = 0;
    await answers(narrowed, { ...PERIOD, group_by: 'day' });
    assert.deepEqual(
      asked.filter((sql) => sql.includes('FROM sums')),
      [],
    );
  });

  it('so do lists, which are then of what they may see', async () => {
    const narrowed = withinReach(watched, { kind: 'only', teams: ['core'], entities: null });
    asked.length = 0;
    for (const ask of Object.values(INVENTORIES)) await inventory(narrowed, ask, PERIOD);
    assert.deepEqual(
      asked.filter((sql) => sql.includes('FROM sums') || !sql.includes('additional_table_filters')),
      [],
    );
    const found = await entities({ store: narrowed }, parseEntitiesQuery(PERIOD, NOW));
    assert.deepEqual([found.data, found.pagination.total], [[], 0]);
  });

  it('a report whose sums are taken back while it runs asks again', async () => {
    let taken = false;
    const store: StoreReader = {
      ...ledger.summed,
      sums: (dimension, asOf) => {
        const found = ledger.summed.sums?.(dimension, asOf) ?? null;
        return found === null || taken ? null : { ...found, stands: () => false };
      },
      query: async (sql, params, options) => {
        const rows = await ledger.store.query<never>(sql, params, options);
        taken = true;
        return rows;
      },
    };
    assert.equal((await answers(store, { ...PERIOD, group_by: 'day' })).summary.total_cost_exact, '0.000000000118');
  });
});
