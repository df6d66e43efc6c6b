import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Reach } from '#accounts';
import type { TimestampMs } from '#std';
import { costs, parseCostsQuery } from './costs.ts';
import { steps, take, type Step } from './ledger-steps.fixture.ts';
import { withinReach } from './reach.ts';
import type { StoreReader } from './reader.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };

const EVERYTHING = { kind: 'everything' } as const;
const CORE = { kind: 'only', teams: ['core', "o'neil"], entities: null } as const;

/** Who asks: everybody's entries, a team's, a customer's. */
const REACHES: readonly Reach[] = [
  EVERYTHING,
  CORE,
  { kind: 'only', teams: null, entities: [{ type: 'customer', id: 'acme' }] },
  EVERYTHING,
];

type Query = Readonly<Record<string, string>>;

const FILTERS: readonly Query[] = [
  { tags: 'team:eng,customer:acme' },
  { tags: 'team:(untagged)', model: 'gpt-4o' },
  { tags: 'env:prod,beta' },
  { tags: 'US', provider: 'openai' },
  { model: 'openai/gpt-4o', status: 'ok', 'key.team': 'core' },
  { entity_type: 'customer', entity_id: 'acme' },
  { key: 'first key', region: 'eu', kind: 'attempt' },
  { cost_state: 'exact', provider: 'openai' },
  { tags: 'team:eng', provenance: 'declared' },
];

const GROUPS = ['model', 'key', 'label', 'path:US', 'tags.team:/', 'tags.customer', 'entity', 'cost_state'];

/** Days of Berlin are of hours, those of Kathmandu of quarters; what is no whole unit is read from entries. */
const PERIODS: readonly Query[] = [
  PERIOD,
  { ...PERIOD, timezone: 'Europe/Berlin' },
  { ...PERIOD, timezone: 'Asia/Kathmandu' },
  { start_date: '2025-01-02T10:07:00Z', end_date: '2025-01-03T10:52:30Z' },
  { start_date: '2025-01-01T00:00:00Z', end_date: '2025-01-03T10:52:30Z' },
];

const QUERIES: readonly Query[] = FILTERS.map((filter, at) => ({
  ...filter,
  ...PERIODS[at % PERIODS.length],
  group_by: GROUPS[at % GROUPS.length] ?? 'model',
}));

/** Alike enough that cells of them are few. */
const ALIKE: Step = {
  do: 'add',
  seeds: Array.from({ length: 40 }, (_, at) => ({
    at: `2025-01-0${1 + (at % 2)}T10:00:00Z`,
    body: { request_tags: ['team:eng', 'US/Texas'], entity_type: 'customer', entity_id: 'acme' },
    cost: BigInt(at),
  })),
};

async function answers(store: StoreReader, query: Query): Promise<object> {
  const { group_by: groupBy = '', ...filter } = query;
  const of = await costs({ store }, parseCostsQuery({ ...filter, group_by: groupBy, limit: '100' }, NOW));
  const interval = filter['provider'] === undefined ? 'day' : 'hour';
  const over = await timeseries({ store }, parseTimeseriesQuery({ ...filter, interval, group_by: groupBy }, NOW));
  return { of: { ...of, as_of: null }, over: { ...over, as_of: null } };
}

/** Statements, as they are asked. */
function watch(store: StoreReader, asked: string[]): StoreReader {
  return {
    ...store,
    query: (sql, params, options) => {
      asked.push(sql);
      return store.query(sql, params, options);
    },
  };
}

describe('cells', () => {
  it('answer reports under any filters as the entries do, whatever was added late, corrected, repeated and erased', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(steps, steps, async (earlier, later) => {
        const ledger = await openSeededLedger({ sumEntries: 4 });
        try {
          const entries: string[] = [];
          const asked: string[] = [];
          const watched = watch(ledger.summed, asked);
          for (const step of [...earlier, { do: 'sum' } as const]) await take(ledger, step, entries);
          const seen = (store: StoreReader, at: number): StoreReader =>
            withinReach(store, REACHES[at % REACHES.length] ?? EVERYTHING);
          for (const _ of [1, 2]) for (const [at, query] of QUERIES.entries()) await answers(seen(watched, at), query);
          for (const step of later) await take(ledger, step, entries);
          asked.length = 0;
          for (const [at, query] of QUERIES.entries()) {
            const [found, expected] = [
              await answers(seen(watched, at), query),
              await answers(seen(ledger.store, at), query),
            ];
            assert.deepEqual(found, expected, JSON.stringify(query));
          }
          read += asked.filter((sql) => sql.includes('FROM cells_')).length;
        } finally {
          await ledger.close();
        }
      }),
      { numRuns: 3, examples: [[[ALIKE], []]] },
    );
    assert.ok(read > 0, 'some were read');
  });
});

describe('a report that is asked for again', () => {
  let ledger: SeededLedger;
  let store: StoreReader;
  const asked: string[] = [];
  const ask = (query: Query) => costs({ store }, parseCostsQuery({ ...PERIOD, ...query }, NOW));
  const readCells = (): boolean => asked.some((sql) => sql.includes('FROM cells_'));

  before(async () => {
    ledger = await openSeededLedger();
    store = watch(ledger.summed, asked);
    const body = { request_tags: ['team:eng', 'beta'], entity_type: 'customer', entity_id: 'acme' };
    await ledger.add(
      Array.from({ length: 8 }, (_, at) => ({ at: `2025-01-0${at + 1}T10:00:00Z`, body, cost: BigInt(at + 1) })),
    );
    await ledger.sumUp();
  });

  after(() => ledger.close());

  it('reads cells from the third time on, with other values too, and with fewer columns', async () => {
    const query = { group_by: 'model', tags: 'team:eng,customer:acme' };
    for (const cells of [false, false, true]) {
      await ledger.sumUp();
      asked.length = 0;
      const { summary } = await ask(query);
      assert.deepEqual([summary.total_cost_exact, readCells()], ['0.000000000036', cells]);
    }
    asked.length = 0;
    const none = await ask({ ...query, tags: 'team:eng,customer:globex' });
    const fewer = await ask({ group_by: 'tags.customer', tags: 'team:eng' });
    assert.deepEqual([none.summary.total_events, fewer.summary.total_events], [0, 8]);
    assert.ok(asked.every((sql) => sql.includes('FROM cells_')));
  });

  it('sees what came after, and nothing beyond what it is as of', async () => {
    const query = { group_by: 'model', tags: 'team:eng,customer:acme' };
    const body = { request_tags: ['team:eng'], entity_type: 'customer', entity_id: 'acme' };
    await ledger.add([{ at: '2025-01-03T09:00:00Z', body, cost: 100n }]);
    asked.length = 0;
    assert.equal((await ask(query)).summary.total_cost_exact, '0.000000000136');
    assert.ok(readCells());
    ledger.showUpTo(2);
    assert.equal((await ask(query)).summary.total_cost_exact, '0.000000000003');
    ledger.showUpTo(9);
  });

  it('reads cells of what somebody may see, and nothing of the rest', async () => {
    const own = { id: 'key_1', team: 'core' };
    const body = { request_tags: ['team:eng'] };
    const seed = { at: '2025-01-03T09:00:00Z', body, model: 'o4-mini', provider: 'sandbox', key: own };
    await ledger.add([1n, 10n].map((cost) => ({ ...seed, cost })));
    const narrowed = withinReach(store, CORE);
    const query = parseCostsQuery({ ...PERIOD, group_by: 'model', tags: 'team:eng' }, NOW);
    for (const cells of [false, false, true]) {
      await ledger.sumUp();
      asked.length = 0;
      const { data, summary } = await costs({ store: narrowed }, query);
      assert.deepEqual(
        data.map(({ value }) => value),
        ['o4-mini'],
      );
      assert.deepEqual([summary.total_cost_exact, readCells()], ['0.000000000011', cells]);
    }
    const none = withinReach(store, { kind: 'only', teams: ['other'], entities: null });
    const nobody = withinReach(store, { kind: 'only', teams: [], entities: null });
    asked.length = 0;
    for (const narrower of [none, nobody])
      assert.deepEqual((await costs({ store: narrower }, query)).summary.total_events, 0);
    assert.ok(readCells());
  });

  it('finds nobody who is erased while it reads, and cells again afterwards', async () => {
    const query = { group_by: 'tags.customer', tags: 'team:eng', provider: 'openai' };
    for (const _ of [1, 2]) await ask(query);
    await ledger.sumUp();
    let reads = 0;
    const erasing: StoreReader = {
      ...ledger.summed,
      query: async (sql, params, options) => {
        reads += 1;
        if (reads === 1) await ledger.erase({ kind: 'tag', key: 'customer', value: 'acme' });
        return await ledger.store.query(sql, params, options);
      },
    };
    const { data, summary } = await costs({ store: erasing }, parseCostsQuery({ ...PERIOD, ...query }, NOW));
    assert.deepEqual([reads > 1, summary.total_events, data.some(({ value }) => value === 'acme')], [true, 9, false]);
    await ledger.sumUp();
    asked.length = 0;
    assert.deepEqual((await ask(query)).summary, summary);
    assert.ok(readCells());
  });
});
