import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { parseUsd, sumUsd, type CallId } from '#terms';
import { costs, parseCostsQuery } from './costs.ts';
import { eventDetail, events, parseEventsQuery } from './events.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseSessionQuery, session } from './session.ts';
import { parseSpendLogsQuery, spendLogs } from './spend/spend-logs.ts';
import { parseGlobalSpendTagsQuery, globalSpendTags } from './spend/spend-tags.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };

let ledger: SeededLedger;
let ids: readonly CallId[];

before(async () => {
  ledger = await openSeededLedger();
  const body = { request_tags: ['beta', 'team:core'], session_id: 's-1' };
  ids = await ledger.add([
    { at: '2025-01-01T10:00:00Z', body, state: 'unpriced', model: 'new-model', route: 'fast', region: 'eu' },
    { at: '2025-01-02T10:00:00Z', body, cost: 100n, listCost: 120n, billed: 130n, serviceTier: 'flex' },
    { at: '2025-01-03T10:00:00Z', state: 'in_doubt', atRisk: 70n },
    { at: '2025-01-04T10:00:00Z', state: 'estimated', cost: 9n },
    { at: '2025-01-05T10:00:00Z', state: 'unpriced', model: 'other-model' },
    { at: '2025-01-06T10:00:00Z', status: 'upstream_error', cost: 0n },
    { at: '2025-01-06T10:00:01Z', attempt: 2, sameCall: true, cause: 'retry', cost: 5n },
    { at: '2025-01-07T10:00:00Z', state: 'reported', cost: 1000n },
    { at: '2025-01-07T11:00:00Z', state: 'partial_exact', cost: 20_000n },
  ]);
  await ledger.correct([
    { entry: `${ids[0]}.1.attempt.0`, cost: 40n, state: 'incomplete' },
    { entry: `${ids[0]}.1.attempt.0`, cost: 44n, state: 'exact' },
    { entry: `${ids[1]}.1.attempt.0`, cost: 70n, state: 'exact' },
    { entry: `${ids[2]}.1.attempt.0`, cost: 7n, state: 'exact' },
    { entry: `${ids[3]}.1.attempt.0`, cost: 8n, state: 'exact' },
  ]);
});

after(async () => {
  await ledger.close();
});

const deps = () => ({ store: ledger.store });
const ask = (query: Record<string, string>) => costs(deps(), parseCostsQuery({ ...PERIOD, ...query }, NOW));
const list = (query: Record<string, string> = {}) => events(deps(), parseEventsQuery(query, NOW));

function exact(text: string): bigint {
  const amount = parseUsd(text);
  assert.ok(amount !== undefined);
  return amount;
}

describe('totals', () => {
  it('are what the corrections left, and what was resolved is no longer open', async () => {
    const { summary } = await ask({});
    assert.deepEqual(
      {
        cost: exact(summary.total_cost_exact),
        list: exact(summary.total_list_cost_exact),
        billed: exact(summary.total_billed_exact),
        events: summary.total_events,
        attempts: summary.total_attempts,
        tokens: summary.total_input_tokens,
        unpriced: summary.unpriced_events,
        incomplete: summary.incomplete_events,
        inDoubt: summary.in_doubt_events,
        atRisk: summary.at_risk_exact,
        estimated: summary.estimated_events,
        estimatedCost: summary.estimated_cost_exact,
        reportedCost: exact(summary.reported_cost_exact),
        partialExact: exact(summary.partial_exact_cost_exact),
      },
      {
        cost: 21_134n,
        list: 21_134n,
        billed: 21_134n,
        events: 8,
        attempts: 9,
        tokens: 80,
        unpriced: 1,
        incomplete: 0,
        inDoubt: 0,
        atRisk: '0',
        estimated: 0,
        estimatedCost: '0',
        reportedCost: 1000n,
        partialExact: 20_000n,
      },
    );
  });

  it('before corrections were visible are those of before', async () => {
    ledger.showUpTo(9);
    const { summary, data } = await ask({ group_by: 'cost_state' });
    ledger.showUpTo(14);
    assert.deepEqual(
      [summary.unpriced_events, summary.in_doubt_events, exact(summary.total_list_cost_exact)],
      [2, 1, 21_134n],
    );
    assert.deepEqual(new Set(data.map((row) => row.value)).has('in_doubt'), true);
  });
});

describe('every breakdown', () => {
  const GROUPS = [
    'route',
    'cost_state',
    'cause',
    'operation',
    'region',
    'service_tier',
    'model',
    'provider',
    'status',
    'day',
    'key',
    'tags.team',
    'key.team',
  ];

  for (const group_by of GROUPS) {
    it(`by ${group_by} adds up, corrections and all`, async () => {
      const { data, summary } = await ask({ group_by });
      const fields = [
        'total_cost_exact',
        'total_list_cost_exact',
        'total_billed_exact',
        'estimated_cost_exact',
        'reported_cost_exact',
        'partial_exact_cost_exact',
        'at_risk_exact',
      ] as const;
      for (const field of fields) {
        const parts = data.map((row) => parseUsd(row[field]) ?? assert.fail(`${field} is exact`));
        assert.equal(sumUsd(parts), exact(summary[field]), field);
      }
      const counts = ['total_events', 'total_attempts', 'unpriced_events', 'in_doubt_events'] as const;
      for (const field of counts) {
        assert.equal(
          data.reduce((sum, row) => sum + row[field], 0),
          summary[field],
          field,
        );
      }
    });
  }

  it('by cost_state has a call where its last correction put it, with all its money', async () => {
    const { data } = await ask({ group_by: 'cost_state' });
    assert.deepEqual(
      data.map((row) => [row.value, exact(row.total_cost_exact), row.total_events]),
      [
        ['partial_exact', 20_000n, 1],
        ['reported', 1000n, 1],
        ['exact', 134n, 5],
        ['unpriced', 0n, 1],
      ],
    );
  });

  it('over time too', async () => {
    const series = await timeseries(deps(), parseTimeseriesQuery({ ...PERIOD, group_by: 'cost_state' }, NOW));
    const sum = sumUsd(series.data.map((point) => parseUsd(point.total_cost_exact) ?? assert.fail('exact')));
    assert.equal(sum, exact(series.summary.total_cost_exact));
    assert.equal(series.data.find((point) => point.date === '2025-01-03')?.value, 'exact');
  });
});

describe('filters', () => {
  it('find entries by what their state is now, by route, cause, region and service tier', async () => {
    const found = async (query: Record<string, string>) => (await list(query)).data.map(({ id }) => id);
    assert.deepEqual(await found({ cost_state: 'unpriced' }), [ids[4]]);
    assert.deepEqual(await found({ cost_state: 'in_doubt' }), []);
    assert.equal((await found({ cost_state: 'exact' })).length, 6);
    assert.deepEqual(await found({ route: 'fast' }), [ids[0]]);
    assert.deepEqual(await found({ region: 'eu' }), [ids[0]]);
    assert.deepEqual(await found({ cause: 'retry' }), [ids[5]]);
    assert.deepEqual(await found({ service_tier: 'flex' }), [ids[1]]);
    assert.equal((await found({ route: '(untagged)' })).length, 8);
  });
});

describe('events', () => {
  it('are attempts at what they cost by now, corrections being no rows of their own', async () => {
    const { data, pagination, summary } = await list({ session_id: 's-1' });
    assert.deepEqual(
      data.map((event) => [
        event.id,
        event.cost_state,
        event.cost_usd_exact,
        event.list_cost_usd_exact,
        event.billed_usd_exact,
        event.corrections,
      ]),
      [
        [ids[1], 'exact', '0.00000000007', '0.00000000007', '0.00000000007', 1],
        [ids[0], 'exact', '0.000000000044', '0.000000000044', '0.000000000044', 2],
      ],
    );
    assert.equal(pagination.total, 2);
    assert.equal(exact(summary.total_cost_exact), 114n);
  });

  it('show in detail each correction as it was made, and the lines that hold by now', async () => {
    const event = await eventDetail(deps(), ids[0] ?? '');
    assert.deepEqual(
      event.corrections.map((correction) => [correction.resolves, correction.cost_state, correction.cost_usd_exact]),
      [
        ['unpriced', 'incomplete', '0.00000000004'],
        ['incomplete', 'exact', '0.000000000004'],
      ],
    );
    assert.deepEqual(
      [event.cost_state, event.cost_usd_exact, event.cost_reason],
      ['exact', '0.000000000044', 'repriced'],
    );
    assert.equal(event.call_cost_usd_exact, '0.000000000044');
    assert.deepEqual(
      event.charges.map((line) => line.amount_usd_exact),
      ['0.000000000044'],
    );
    assert.equal(event.price_book, 'book-2');
    assert.deepEqual(event.meters, { input: 10, output_text: 5 });
    assert.deepEqual([event.route, event.region, event.wire], ['fast', 'eu', 'openai.chat']);
    const same = await eventDetail(deps(), `${ids[0]}.1.correction.2`);
    assert.equal(same.entry_id, event.entry_id);
  });

  it('in doubt that was resolved has a cost and nothing at risk', async () => {
    const event = await eventDetail(deps(), ids[2] ?? '');
    assert.deepEqual([event.cost_usd_exact, event.at_risk_exact], ['0.000000000007', null]);
    assert.equal(event.corrections[0]?.at_risk_exact, '-0.00000000007');
  });

  it('list every attempt of a call with why it was made', async () => {
    const event = await eventDetail(deps(), ids[5] ?? '');
    assert.deepEqual(
      event.attempts.map(({ attempt, cause, status, cost_usd_exact }) => [attempt, cause, status, cost_usd_exact]),
      [
        [1, 'first', 'upstream_error', '0'],
        [2, 'retry', 'ok', '0.000000000005'],
      ],
    );
  });

  it('of a session are at what they cost by now', async () => {
    const one = await session(deps(), parseSessionQuery('s-1', {}, NOW));
    assert.deepEqual(
      [one.turns, exact(one.cost_exact), one.calls.map((call) => call.cost_usd_exact)],
      [2, 114n, ['0.000000000044', '0.00000000007']],
    );
  });
});

describe('LiteLLM’s reports', () => {
  it('keep one row per call, with its corrections in the spend', async () => {
    const keys = () => Promise.resolve(new Map());
    const { rows } = await spendLogs({ ...deps(), keys }, parseSpendLogsQuery({}, NOW));
    assert.equal(rows.length, 8);
    const repriced = rows.find((row) => 'request_id' in row && row.request_id === `chatcmpl-${ids[0]}`);
    assert.ok(repriced !== undefined && 'metadata' in repriced);
    assert.equal(repriced.spend_exact, '0.000000000044');
    assert.deepEqual(repriced.metadata, {
      ...(typeof repriced.metadata === 'object' ? repriced.metadata : {}),
      apportion: {
        call_id: ids[0],
        attempts: 1,
        status: 'ok',
        cost_state: 'exact',
        at_risk_exact: null,
        entity_type: 'team',
        entity_id: 'core',
        labels: ['beta'],
        paths: [],
        session_path: null,
      },
    });
  });

  it('no longer call unpriced what was repriced', async () => {
    const answer = await globalSpendTags(deps(), parseGlobalSpendTagsQuery({ tags: 'beta' }, NOW));
    assert.deepEqual([answer.unpriced_events, answer.total_spend_exact], [0, '0.000000000114']);
  });
});
