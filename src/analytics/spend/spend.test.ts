import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import type { CallId } from '#terms';
import { openSeededLedger, type SeededLedger } from '../seeded-ledger.fixture.ts';
import type { SpendDeps } from './spend-deps.ts';
import { parseSpendLogsQuery, parseSpendPageQuery, spendLogs, spendPage } from './spend-logs.ts';
import type { WireSpendLog } from './spend-row.ts';
import {
  allTagNames,
  globalSpendTags,
  parseGlobalSpendTagsQuery,
  parseSpendTagsQuery,
  spendTags,
} from './spend-tags.ts';
import { parseTagActivityQuery, tagActivity } from './tag-activity.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;
const HASH = 'f'.repeat(64);

let ledger: SeededLedger;
let deps: SpendDeps;
let ids: readonly CallId[];

before(async () => {
  ledger = await openSeededLedger();
  deps = { store: ledger.store, keys: () => Promise.resolve(new Map([['key_a', { hash: HASH, name: 'backend' }]])) };
  const key = { id: 'key_a', name: 'backend', team: 'growth', owner: 'ann' };
  ids = await ledger.add([
    {
      at: '2025-01-01T10:00:00.000Z',
      body: { metadata: { tags: ['AWS_IAM_PROD', 'us-east-1'] }, session_id: 's-1', tags: { customer: 'acme' } },
      defaults: ['team-backend'],
      key,
      cost: 2_000_000_000n,
      latencyMs: 500,
      requestModel: 'openai/gpt-4o',
    },
    { at: '2025-01-02T23:59:59.500Z', body: { request_tags: ['AWS_IAM_PROD'] }, key, cost: 1n },
    { at: '2025-01-02T10:00:00Z', status: 'upstream_error', cost: 0n, latencyMs: 7 },
    { at: '2025-01-02T10:00:01Z', attempt: 2, sameCall: true, cost: 9n, provider: 'azure' },
    { at: '2025-01-03T10:00:00Z', state: 'unpriced', model: 'new-model', body: { request_tags: ['beta'] } },
  ]);
});

after(async () => {
  await ledger.close();
});

async function rowsOf(query: Record<string, string>): Promise<readonly WireSpendLog[]> {
  const { rows } = await spendLogs(deps, parseSpendLogsQuery(query, NOW));
  return rows.filter((row): row is WireSpendLog => 'request_id' in row);
}

describe('/spend/logs', () => {
  it('has a row per call: the id the client got, the tags as sent then inherited, spend as number and exact', async () => {
    const rows = await rowsOf({});
    assert.deepEqual(rows.at(-1), {
      request_id: `chatcmpl-${ids[0]}`,
      call_type: 'acompletion',
      api_key: HASH,
      spend: 0.002,
      spend_exact: '0.002',
      total_tokens: 15,
      prompt_tokens: 10,
      completion_tokens: 5,
      startTime: '2025-01-01T10:00:00.000Z',
      endTime: '2025-01-01T10:00:00.500Z',
      completionStartTime: '2025-01-01T10:00:00.010Z',
      request_duration_ms: 500,
      model: 'gpt-4o',
      model_group: 'openai/gpt-4o',
      custom_llm_provider: 'openai',
      user: 'ann',
      end_user: 'acme',
      team_id: 'growth',
      session_id: 's-1',
      status: 'success',
      request_tags: ['customer:acme', 'AWS_IAM_PROD', 'us-east-1', 'team-backend'],
      metadata: {
        user_api_key: HASH,
        user_api_key_alias: 'backend',
        user_api_key_team_id: 'growth',
        user_api_key_user_id: 'ann',
        spend_logs_metadata: { customer: 'acme' },
        usage_object: { prompt_tokens: 10, completion_tokens: 5 },
        apportion: {
          call_id: ids[0],
          attempts: 1,
          status: 'ok',
          cost_state: 'exact',
          at_risk_exact: null,
          entity_type: 'customer',
          entity_id: 'acme',
          labels: ['AWS_IAM_PROD', 'us-east-1', 'team-backend'],
          paths: [],
          session_path: null,
        },
      },
    });
  });

  it('a call that was tried again is one row with all its cost; an unknown cost is null, not zero', async () => {
    const rows = await rowsOf({});
    assert.deepEqual(
      rows.map((row) => [row.startTime, row.spend_exact, row.custom_llm_provider, row.status, row.total_tokens]),
      [
        ['2025-01-03T10:00:00.000Z', null, 'openai', 'success', 15],
        ['2025-01-02T23:59:59.500Z', '0.000000000001', 'openai', 'success', 15],
        ['2025-01-02T10:00:00.000Z', '0.000000000009', 'azure', 'success', 30],
        ['2025-01-01T10:00:00.000Z', '0.002', 'openai', 'success', 15],
      ],
    );
  });

  it('with both dates it sums up per day, the last day included', async () => {
    const { rows } = await spendLogs(
      deps,
      parseSpendLogsQuery({ start_date: '2025-01-01', end_date: '2025-01-02' }, NOW),
    );
    assert.deepEqual(rows, [
      {
        startTime: '2025-01-01',
        spend: 0.002,
        spend_exact: '0.002',
        [HASH]: 0.002,
        users: { ann: 0.002 },
        models: { 'gpt-4o': 0.002 },
        exact: { users: { ann: '0.002' }, models: { 'gpt-4o': '0.002' }, keys: { [HASH]: '0.002' } },
        unpriced_events: 0,
      },
      {
        startTime: '2025-01-02',
        spend: 1e-11,
        spend_exact: '0.00000000001',
        [HASH]: 1e-12,
        key_1: 9e-12,
        users: { '': 9e-12, ann: 1e-12 },
        models: { 'gpt-4o': 1e-11 },
        exact: {
          users: { '': '0.000000000009', ann: '0.000000000001' },
          models: { 'gpt-4o': '0.00000000001' },
          keys: { [HASH]: '0.000000000001', key_1: '0.000000000009' },
        },
        unpriced_events: 0,
      },
    ]);
    const unsummed = await rowsOf({ start_date: '2025-01-01', end_date: '2025-01-02', summarize: 'false' });
    assert.equal(unsummed.length, 3);
  });

  it('finds a call by what the client got, a key by hash or alias, a user, a tag', async () => {
    const found = async (query: Record<string, string>) => (await rowsOf(query)).length;
    assert.equal(await found({ request_id: `chatcmpl-${ids[0]}` }), 1);
    assert.equal(await found({ request_id: `${ids[2]}` }), 1);
    assert.equal(await found({ request_id: 'nobody' }), 0);
    assert.equal(await found({ api_key: HASH }), 2);
    assert.equal(await found({ api_key: 'backend' }), 2);
    assert.equal(await found({ api_key: '0'.repeat(64) }), 0);
    assert.equal(await found({ user_id: 'ann' }), 2);
    assert.equal(await found({ tags: 'AWS_IAM_PROD' }), 2);
  });

  it('v2 is paged', async () => {
    const page = async (query: Record<string, string>) => spendPage(deps, parseSpendPageQuery(query, NOW));
    const second = await page({ page: '2', page_size: '3' });
    assert.deepEqual(
      [second.data.map((row) => row.spend_exact), second.total, second.total_pages, second.page_size],
      [['0.002'], 4, 2, 3],
    );
    assert.equal((await page({ status_filter: 'failure' })).total, 0);
    assert.equal((await page({ team_id: 'growth', status_filter: 'success' })).total, 2);
  });

  it('has what all attempts of a call cost, also those from before the period', async () => {
    await ledger.add([
      { at: '2025-02-27T23:59:59.900Z', status: 'upstream_error', cost: 5n, latencyMs: 50 },
      { at: '2025-02-28T00:00:00.100Z', attempt: 2, sameCall: true, cause: 'retry', cost: 9n },
    ]);
    const [row] = await rowsOf({ start_date: '2025-02-28', end_date: '2025-02-28', summarize: 'false' });
    assert.deepEqual([row?.spend_exact, row?.startTime], ['0.000000000014', '2025-02-27T23:59:59.900Z']);
  });
});

describe('spend per tag', () => {
  it('counts a call in full for each of its tags', async () => {
    assert.deepEqual(await spendTags(deps, parseSpendTagsQuery({}, NOW)), [
      {
        individual_request_tag: 'AWS_IAM_PROD',
        log_count: 2,
        total_spend: 0.002000000001,
        total_spend_exact: '0.002000000001',
        unpriced_events: 0,
      },
      {
        individual_request_tag: 'customer:acme',
        log_count: 1,
        total_spend: 0.002,
        total_spend_exact: '0.002',
        unpriced_events: 0,
      },
      {
        individual_request_tag: 'team-backend',
        log_count: 1,
        total_spend: 0.002,
        total_spend_exact: '0.002',
        unpriced_events: 0,
      },
      {
        individual_request_tag: 'us-east-1',
        log_count: 1,
        total_spend: 0.002,
        total_spend_exact: '0.002',
        unpriced_events: 0,
      },
      { individual_request_tag: 'beta', log_count: 1, total_spend: 0, total_spend_exact: '0', unpriced_events: 1 },
    ]);
  });

  it('and has a total that counts each call once, whatever tags match', async () => {
    const tags = 'AWS_IAM_PROD, us-east-1';
    assert.deepEqual(await globalSpendTags(deps, parseGlobalSpendTagsQuery({ start_date: '2025-01-01', tags }, NOW)), {
      spend_per_tag: [
        {
          name: 'AWS_IAM_PROD',
          spend: 0.002000000001,
          spend_exact: '0.002000000001',
          log_count: 2,
          unpriced_events: 0,
        },
        { name: 'us-east-1', spend: 0.002, spend_exact: '0.002', log_count: 1, unpriced_events: 0 },
      ],
      total_spend: 0.002000000001,
      total_spend_exact: '0.002000000001',
      total_log_count: 2,
      unpriced_events: 0,
    });
  });

  it('the names of all tags are those that were sent', async () => {
    assert.deepEqual(await allTagNames(deps, parseSpendTagsQuery({}, NOW)), [
      'AWS_IAM_PROD',
      'beta',
      'customer:acme',
      'team-backend',
      'us-east-1',
    ]);
  });

  it('per day: entities overlap, metrics and metadata count a call once', async () => {
    const tags = 'AWS_IAM_PROD,us-east-1';
    const query = { tags, start_date: '2025-01-01', end_date: '2025-01-02', page_size: '1', page: '2' };
    const { results, metadata } = await tagActivity(deps, parseTagActivityQuery(query, NOW));
    const metrics = {
      spend: 0.002,
      spend_exact: '0.002',
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      api_requests: 1,
      successful_requests: 1,
      failed_requests: 0,
    };
    const part = { metrics, metadata: {}, api_key_breakdown: {} };
    assert.deepEqual(results, [
      {
        date: '2025-01-01',
        metrics,
        breakdown: {
          models: { 'gpt-4o': part },
          model_groups: { 'openai/gpt-4o': part },
          providers: { openai: part },
          endpoints: { chat: part },
          mcp_servers: {},
          api_keys: { [HASH]: { ...part, metadata: { key_alias: 'backend' } } },
          entities: { AWS_IAM_PROD: part, 'us-east-1': part },
        },
      },
    ]);
    assert.deepEqual(metadata, {
      total_spend: 0.002000000001,
      total_spend_exact: '0.002000000001',
      total_prompt_tokens: 20,
      total_completion_tokens: 10,
      total_tokens: 30,
      total_cache_read_input_tokens: 0,
      total_cache_creation_input_tokens: 0,
      total_api_requests: 2,
      total_successful_requests: 2,
      total_failed_requests: 0,
      page: 2,
      total_pages: 2,
      has_more: false,
    });
  });

  it('and whatever a tag is called, it has its row', async () => {
    const names = ['__proto__', 'constructor', 'toString'];
    await ledger.add([{ at: '2025-02-01T10:00:00Z', body: { request_tags: names }, cost: 3n }]);
    const query = { start_date: '2025-02-01', end_date: '2025-02-01' };
    const { results } = await tagActivity(deps, parseTagActivityQuery(query, NOW));
    const rows = new Map(Object.entries(results[0]?.breakdown['entities'] ?? {}));
    assert.deepEqual(
      names.map((name) => rows.get(name)?.metrics.spend_exact),
      names.map(() => '0.000000000003'),
    );
  });
});

it('spend by the alias of a key is of every key called so', async () => {
  const at = '2025-02-27T10:00:00Z';
  await ledger.add([
    { at, key: { id: 'key_old', name: 'nightly' }, body: { request_tags: ['n'] }, cost: 3n },
    { at, key: { id: 'key_new', name: 'nightly' }, body: { request_tags: ['n'] }, cost: 40n },
    { at, key: { id: 'key_b', name: 'other' }, body: { request_tags: ['n'] }, cost: 500n },
  ]);
  const names = ['key_old', 'key_new'].map((id, n) => [id, { hash: `${n}`.repeat(64), name: 'nightly' }] as const);
  const rotated: SpendDeps = { ...deps, keys: () => Promise.resolve(new Map(names)) };
  const day = { start_date: '2025-02-27', end_date: '2025-02-27' };
  const spent = async (api_key: string) => {
    const page = await spendPage(rotated, parseSpendPageQuery({ ...day, api_key }, NOW));
    const { rows } = await spendLogs(rotated, parseSpendLogsQuery({ ...day, api_key }, NOW));
    const activity = await tagActivity(rotated, parseTagActivityQuery({ ...day, api_key }, NOW));
    return [page.total, rows[0]?.spend_exact, activity.metadata['total_spend_exact']];
  };
  assert.deepEqual(await spent('nightly'), [2, '0.000000000043', '0.000000000043']);
  assert.deepEqual(await spent('key_new'), [1, '0.00000000004', '0.00000000004']);
  assert.deepEqual(await spent('1'.repeat(64)), [1, '0.00000000004', '0.00000000004']);
});
