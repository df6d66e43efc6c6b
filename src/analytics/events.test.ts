import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { ApportionError, type CallId } from '#terms';
import { dimensions, parseDimensionsQuery } from './dimensions.ts';
import { entities, parseEntitiesQuery } from './entities.ts';
import { eventDetail, events, parseEventsQuery } from './events.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

let ledger: SeededLedger;
let ids: readonly CallId[];

before(async () => {
  ledger = await openSeededLedger();
  ids = await ledger.add([
    {
      at: '2025-01-01T10:00:00.123Z',
      body: {
        entity_type: 'customer',
        entity_id: 'acme',
        session_id: 's-1',
        tags: { 'app.version': '2.0', customer: 'globex' },
        request_tags: ['beta', 'US/CA', 'env:prod'],
      },
      cost: 21_500_000n,
      latencyMs: 42,
    },
    { at: '2025-01-02T10:00:00Z', status: 'upstream_error', cost: 0n, latencyMs: 7 },
    { at: '2025-01-02T10:00:01Z', attempt: 2, sameCall: true, cost: 9n, provider: 'azure' },
    { at: '2025-01-03T10:00:00Z', state: 'unpriced', model: 'new-model', body: { tags: { team: 'search' } } },
    { at: '2025-01-04T10:00:00Z', state: 'in_doubt', atRisk: 70n, provider: 'sandbox' },
  ]);
});

after(async () => {
  await ledger.close();
});

const ask = (query: Record<string, string>) => events({ store: ledger.store }, parseEventsQuery(query, NOW));

describe('the list of events', () => {
  it('has the fields of InfraPrism and what the ledger knows besides', async () => {
    const { data } = await ask({ tags: 'beta' });
    assert.deepEqual(data, [
      {
        id: ids[0],
        entry_id: `${ids[0]}.1.attempt.0`,
        attempt: 1,
        cause: 'first',
        timestamp: '2025-01-01T10:00:00.123Z',
        model: 'gpt-4o',
        request_model: 'gpt-4o',
        route: null,
        provider: 'openai',
        input_tokens: 10,
        output_tokens: 5,
        cost_usd: 0.0000215,
        cost_usd_exact: '0.0000215',
        list_cost_usd_exact: '0.0000215',
        billed_usd_exact: '0.0000215',
        cost_state: 'exact',
        corrections: 0,
        latency_ms: 42,
        entity_type: 'customer',
        entity_id: 'acme',
        session_id: 's-1',
        session_path: null,
        trace_id: null,
        tags: { 'app.version': '2.0', customer: 'acme', env: 'prod' },
        labels: ['beta'],
        paths: ['US/CA'],
        request_tags: data[0]?.request_tags,
        key_id: 'key_1',
        key_name: 'first key',
        status: 'ok',
        success: true,
        stream: false,
        sandbox: false,
      },
    ]);
    assert.ok(data[0]?.request_tags.includes('US/CA'));
  });

  it('is newest first, pages, and sums up the whole match', async () => {
    const { data, summary, pagination } = await ask({ limit: '2', offset: '1' });
    assert.deepEqual(
      data.map(({ timestamp, cost_usd, cost_state }) => [timestamp, cost_usd, cost_state]),
      [
        ['2025-01-03T10:00:00.000Z', null, 'unpriced'],
        ['2025-01-02T10:00:01.000Z', 9e-12, 'exact'],
      ],
    );
    assert.deepEqual(pagination, { total: 5, limit: 2, offset: 1, has_more: true });
    assert.equal(summary.total_events, 4);
    assert.equal(summary.total_cost_exact, '0.000021500009');
    assert.equal(summary.sandbox, true);
  });
});

describe('one event', () => {
  const detail = (id: string) => eventDetail({ store: ledger.store }, id);

  it('shows every charge line, the provenance of tags and what lost against them', async () => {
    const event = await detail(`chatcmpl-${ids[0]}`);
    assert.equal(event.id, ids[0]);
    assert.deepEqual(event.charges, [
      {
        meter: 'input',
        quantity: '10',
        unit_price_usd: '0.15',
        per: 1_000_000,
        amount_usd_exact: '0.0000215',
        price_row: 'openai/gpt-4o#input',
      },
    ]);
    assert.deepEqual(event.meters, { input: 10, output_text: 5 });
    assert.deepEqual(event.usage_raw, { prompt_tokens: 10, completion_tokens: 5 });
    assert.equal(event.tag_provenance['app.version'], 'declared');
    assert.deepEqual(event.conflicts, [{ key: 'customer', value: 'globex', source: 'body' }]);
    assert.equal(event.price_book, 'book-1');
    assert.equal(event.at_risk_exact, null);
  });

  it('by call id is its last attempt, with all attempts and the cost of the call', async () => {
    const event = await detail(ids[1] ?? '');
    assert.equal(event.attempt, 2);
    assert.equal(event.provider, 'azure');
    assert.deepEqual(
      event.attempts.map(({ attempt, status, cost_usd_exact }) => [attempt, status, cost_usd_exact]),
      [
        [1, 'upstream_error', '0'],
        [2, 'ok', '0.000000000009'],
      ],
    );
    assert.equal(event.call_cost_usd_exact, '0.000000000009');
    assert.equal((await detail(`${ids[1]}.1.attempt.0`)).attempt, 1);
  });

  it('in doubt has no cost and says what is at risk', async () => {
    const event = await detail(ids[4] ?? '');
    assert.equal(event.cost_usd, null);
    assert.equal(event.call_cost_usd_exact, null);
    assert.equal(event.at_risk_exact, '0.00000000007');
    assert.equal(event.success, false);
  });

  it('that does not exist is not found', async () => {
    await assert.rejects(detail('call_nothing'), (error) => error instanceof ApportionError && error.status === 404);
  });
});

describe('what can be asked for', () => {
  it('dimensions: built-ins and every tag key of the period, with calls and distinct values', async () => {
    const answer = await dimensions({ store: ledger.store }, parseDimensionsQuery({ start_date: '2025-01-01' }, NOW));
    assert.deepEqual(
      answer.data.map(({ group_by, calls, distinct_values }) => [group_by, calls, distinct_values]),
      [
        ['entity', 2, 2],
        ['model', 4, 2],
        ['provider', 4, 3],
        ['key', 4, 1],
        ['status', 4, 3],
        ['cost_state', 4, 3],
        ['route', 0, 0],
        ['operation', 4, 1],
        ['cause', 4, 1],
        ['region', 0, 0],
        ['service_tier', 0, 0],
        ['kind', 4, 1],
        ['label', 1, 1],
        ['path', 1, 1],
        ['tags.app.version', 1, 1],
        ['tags.customer', 1, 1],
        ['tags.env', 1, 1],
        ['tags.team', 1, 1],
      ],
    );
    assert.equal(answer.total_events, 4);
    const none = await dimensions({ store: ledger.store }, parseDimensionsQuery({ start_date: '2025-02-01' }, NOW));
    assert.deepEqual(new Set(none.data.map(({ calls }) => calls)), new Set([0]));
  });

  it('entities: every one that calls were made for, latest first', async () => {
    const answer = await entities({ store: ledger.store }, parseEntitiesQuery({}, NOW));
    assert.deepEqual(answer.data, [
      {
        entity_type: 'team',
        entity_id: 'search',
        first_seen: '2025-01-03T10:00:00.000Z',
        last_seen: '2025-01-03T10:00:00.000Z',
        total_events: 1,
        total_cost: 0,
        total_cost_exact: '0',
      },
      {
        entity_type: 'customer',
        entity_id: 'acme',
        first_seen: '2025-01-01T10:00:00.123Z',
        last_seen: '2025-01-01T10:00:00.123Z',
        total_events: 1,
        total_cost: 0.0000215,
        total_cost_exact: '0.0000215',
      },
    ]);
    assert.deepEqual(answer.pagination, { total: 2, limit: 100, offset: 0, has_more: false });
    const teams = await entities({ store: ledger.store }, parseEntitiesQuery({ type: 'team' }, NOW));
    assert.equal(teams.data.length, 1);
  });
});
