import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { parseUsd } from '#terms';
import { costs, parseCostsQuery, type CostsAnswer, type WireGroup } from './costs.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
});

after(async () => {
  await ledger.close();
});

function ask(query: Record<string, string>): Promise<CostsAnswer> {
  return costs({ store: ledger.store }, parseCostsQuery(query, NOW));
}

function exact(text: string): bigint {
  const amount = parseUsd(text);
  assert.ok(amount !== undefined, `${text} is an exact amount`);
  return amount;
}

function costOf(rows: readonly WireGroup[]): Record<string, string> {
  return Object.fromEntries(rows.map((row) => [row.value, row.total_cost_exact]));
}

describe('costs per entity', () => {
  const day = { start_date: '2025-01-01', end_date: '2025-01-01' };

  before(async () => {
    const at = '2025-01-01T10:00:00Z';
    await ledger.add([
      { at, body: { entity_type: 'customer', entity_id: 'acme' }, cost: 3_000_000_000_000n, latencyMs: 100 },
      { at, body: { entity_type: 'customer', entity_id: 'acme' }, cost: 1n, latencyMs: 301 },
      { at, body: { entity_type: 'team', entity_id: 'search', tags: { customer: 'acme' } }, cost: 20n },
      { at, body: { metadata: { tags: ['customer:globex', 'env:prod'] } }, cost: 300n, provider: 'sandbox' },
      { at, cost: 4000n },
      { at, state: 'unpriced', model: 'new-model' },
      { at, state: 'in_doubt', atRisk: 70n },
      { at, state: 'estimated', cost: 50_000n },
    ]);
  });

  it('a row per primary entity, dearest first, and one for calls without', async () => {
    const answer = await ask(day);
    assert.deepEqual(
      answer.data.map(({ entity_type, entity_id, value, untagged, total_cost_exact, total_events }) => ({
        entity_type,
        entity_id,
        value,
        untagged,
        total_cost_exact,
        total_events,
      })),
      [
        {
          entity_type: 'customer',
          entity_id: 'acme',
          value: 'customer/acme',
          untagged: false,
          total_cost_exact: '3.000000000001',
          total_events: 2,
        },
        {
          entity_type: null,
          entity_id: '(untagged)',
          value: '(untagged)',
          untagged: true,
          total_cost_exact: '0.000000054',
          total_events: 4,
        },
        {
          entity_type: 'customer',
          entity_id: 'globex',
          value: 'customer/globex',
          untagged: false,
          total_cost_exact: '0.0000000003',
          total_events: 1,
        },
        {
          entity_type: 'team',
          entity_id: 'search',
          value: 'team/search',
          untagged: false,
          total_cost_exact: '0.00000000002',
          total_events: 1,
        },
      ],
    );
    assert.equal(answer.data[0]?.total_cost, 3.000000000001);
    assert.equal(answer.data[0]?.avg_latency_ms, 201);
  });

  it('the summary says what is unpriced, estimated, in doubt and play money', async () => {
    const { summary, as_of, overlapping, truncated } = await ask(day);
    assert.deepEqual(summary, {
      total_cost: 3.000000054321,
      total_cost_exact: '3.000000054321',
      total_list_cost: 3.000000054321,
      total_list_cost_exact: '3.000000054321',
      total_billed: 3.000000054321,
      total_billed_exact: '3.000000054321',
      total_events: 8,
      total_attempts: 8,
      total_input_tokens: 70,
      total_output_tokens: 35,
      avg_latency_ms: 129,
      unpriced_events: 1,
      incomplete_events: 0,
      estimated_events: 1,
      estimated_cost_exact: '0.00000005',
      reported_cost_exact: '0',
      partial_exact_cost_exact: '0',
      in_doubt_events: 1,
      at_risk_exact: '0.00000000007',
      sandbox_cost_exact: '0.0000000003',
      sandbox: true,
      period: { start: '2025-01-01', end: '2025-01-01' },
      timezone: 'UTC',
    });
    assert.equal(as_of.node_id, 'node-test');
    assert.equal(overlapping, false);
    assert.equal(truncated, false);
  });

  it('a filter on a type finds its dimension however it was set, and groups by it', async () => {
    const answer = await ask({ ...day, entity_type: 'customer' });
    assert.deepEqual(costOf(answer.data), { acme: '3.000000000021', globex: '0.0000000003' });
    assert.equal(answer.data[0]?.entity_type, 'customer');
    assert.equal(answer.data[0]?.entity_id, 'acme');
    const one = await ask({ ...day, entity_type: 'customer', entity_id: 'globex' });
    assert.deepEqual(costOf(one.data), { globex: '0.0000000003' });
  });

  it('a limit folds the cheapest into (other), so that the parts still add up', async () => {
    const answer = await ask({ ...day, limit: '1' });
    assert.deepEqual(costOf(answer.data), {
      'customer/acme': '3.000000000001',
      '(untagged)': '0.000000054',
      '(other)': '0.00000000032',
    });
    assert.equal(answer.data.at(-1)?.other, true);
    assert.equal(answer.truncated, true);
  });

  it('entries the store has, but reports do not show yet, are in no part and not in the total', async () => {
    ledger.showUpTo(2);
    const answer = await ask(day);
    ledger.showUpTo(8);
    assert.equal(answer.summary.total_events, 2);
    assert.equal(answer.data.length, 1);
  });
});

describe('labels', () => {
  const day = { start_date: '2025-01-03', end_date: '2025-01-03' };

  before(async () => {
    const at = '2025-01-03T10:00:00Z';
    await ledger.add([
      { at, body: { request_tags: ['US/California/SF', 'US/California/LA', 'beta'] }, cost: 1n },
      { at, body: { request_tags: ['US'] }, cost: 20n },
      { at, body: { request_tags: ['UK/London'] }, cost: 300n },
      { at, cost: 4000n },
    ]);
  });

  it('labels overlap and the summary counts each call once', async () => {
    const answer = await ask({ ...day, group_by: 'label' });
    assert.deepEqual(costOf(answer.data), {
      '(untagged)': '0.0000000043',
      US: '0.00000000002',
      beta: '0.000000000001',
    });
    assert.equal(answer.summary.total_cost_exact, '0.000000004321');
  });
});

describe('time groups', () => {
  before(async () => {
    await ledger.add([
      { at: '2025-02-02T23:30:00Z', cost: 1n },
      { at: '2025-02-03T00:30:00Z', cost: 20n },
      { at: '2025-02-03T23:30:00Z', cost: 300n },
      { at: '2025-02-04T10:00:00Z', cost: 4000n },
    ]);
  });

  it('days are those of the time zone, oldest first', async () => {
    const answer = await ask({
      start_date: '2025-02-03',
      end_date: '2025-02-04',
      timezone: 'Europe/Berlin',
      group_by: 'day',
    });
    assert.deepEqual(
      answer.data.map(({ date, timestamp, total_cost_exact }) => [date, timestamp, total_cost_exact]),
      [
        ['2025-02-03', '2025-02-02T23:00:00.000Z', '0.000000000021'],
        ['2025-02-04', '2025-02-03T23:00:00.000Z', '0.0000000043'],
      ],
    );
  });

  it('weeks begin on Monday, months on the first', async () => {
    const period = { start_date: '2025-02-01', end_date: '2025-02-28' };
    assert.deepEqual(costOf((await ask({ ...period, group_by: 'week' })).data), {
      '2025-01-27': '0.000000000001',
      '2025-02-03': '0.00000000432',
    });
    assert.deepEqual(costOf((await ask({ ...period, group_by: 'month' })).data), { '2025-02-01': '0.000000004321' });
  });

  it('both ends are inclusive', async () => {
    const answer = await ask({ start_date: '2025-02-03T00:30:00Z', end_date: '2025-02-03T23:30:00Z' });
    assert.equal(answer.summary.total_cost_exact, '0.00000000032');
  });
});

describe('every breakdown', () => {
  const at = fc
    .integer({ min: 0, max: 20 * 24 * 60 })
    .map((minutes) => new Date(Date.parse('2025-03-01T00:00:00Z') + minutes * 60_000).toISOString());
  const seed: fc.Arbitrary<Seed> = fc.record(
    {
      at,
      body: fc.record(
        {
          tags: fc.dictionary(
            fc.constantFrom('env', 'feature', 'customer', 'a.b'),
            fc.constantFrom('x', 'y', '2025-01-01'),
          ),
          request_tags: fc.subarray(['US', 'US/CA', 'US/CA/SF', 'beta', 'team:growth']),
        },
        { requiredKeys: [] },
      ),
      model: fc.constantFrom('gpt-4o', 'gpt-4o-mini', 'o3'),
      provider: fc.constantFrom('openai', 'azure', 'sandbox'),
      key: fc.constantFrom({ id: 'key_1', name: 'one' }, { id: 'key_2', name: 'one' }, { id: 'key_3', name: '' }),
      cost: fc.bigInt({ min: 0n, max: 9_000_000_000_000_000_000n }),
      state: fc.constantFrom('exact', 'estimated', 'unpriced', 'in_doubt', 'reported'),
      status: fc.constantFrom('ok', 'upstream_error'),
      attempt: fc.constantFrom(1, 1, 1, 2),
    },
    { requiredKeys: ['at'] },
  );
  const partitions = [
    'entity',
    'model',
    'provider',
    'key',
    'status',
    'day',
    'week',
    'month',
    'hour',
    'tags.env',
    'tags.a.b',
    'tags.none',
    'tags.env:/',
    'tags.env:prod',
    'key.team',
    'key.owner',
    'key.id',
  ];

  it('parts and (untagged) add up to the total, to the pico-dollar, whatever the limit', async () => {
    const seeds = fc.sample(seed, { numRuns: 300, seed: 7 });
    await ledger.add(seeds);
    const paid = seeds.map(({ state, cost }) =>
      state === 'unpriced' || state === 'in_doubt' ? 0n : (cost ?? 1_000_000n),
    );
    const total = paid.reduce((sum, cost) => sum + cost, 0n);
    const period = { start_date: '2025-03-01', timezone: 'America/New_York' };
    for (const group_by of partitions) {
      for (const limit of ['1', '2', '1000']) {
        const { data, summary } = await ask({ ...period, start_date: '2025-02-28', group_by, limit });
        const sum = (of: (row: WireGroup) => bigint) => data.reduce((all, row) => all + of(row), 0n);
        const name = `${group_by}, limit ${limit}`;
        assert.equal(exact(summary.total_cost_exact), total, name);
        assert.equal(
          sum((row) => exact(row.total_cost_exact)),
          total,
          name,
        );
        assert.equal(
          sum((row) => exact(row.at_risk_exact)),
          exact(summary.at_risk_exact),
          name,
        );
        assert.equal(
          sum((row) => exact(row.estimated_cost_exact)),
          exact(summary.estimated_cost_exact),
          name,
        );
        assert.equal(
          sum((row) => exact(row.sandbox_cost_exact)),
          exact(summary.sandbox_cost_exact),
          name,
        );
        assert.equal(
          sum((row) => BigInt(row.total_events)),
          BigInt(summary.total_events),
          name,
        );
        assert.equal(
          sum((row) => BigInt(row.unpriced_events)),
          BigInt(summary.unpriced_events),
          name,
        );
        assert.equal(
          sum((row) => BigInt(row.in_doubt_events)),
          BigInt(summary.in_doubt_events),
          name,
        );
        assert.equal(new Set(data.map(({ value }) => value)).size, data.length, `${name}: values are distinct`);
      }
    }
  });
});
