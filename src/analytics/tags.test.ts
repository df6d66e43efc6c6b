import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseTagKeyQuery, tagKey } from './tag-key.ts';
import { parseTagKeysQuery, tagKeys, type TagDeps } from './tag-keys.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

const NOTES = {
  keys: new Map([
    ['team', { description: 'Who pays', owner: 'finance' }],
    ['region', { description: 'Not sent yet', owner: null }],
  ]),
  tags: new Map([
    ['beta', { description: 'Opted in', owner: null }],
    ['team:growth', { description: 'Growth team', owner: 'ann' }],
  ]),
};

let ledger: SeededLedger;
let deps: TagDeps;

before(async () => {
  ledger = await openSeededLedger();
  deps = { store: ledger.store, notes: () => Promise.resolve(NOTES) };
  await ledger.add([
    { at: '2025-01-01T10:00:00Z', body: { tags: { team: 'growth', 'app.version': '1' } }, cost: 60n },
    {
      at: '2025-01-02T10:00:00Z',
      body: { tags: { team: 'search' }, request_tags: ['beta', 'US/CA/SF', 'US/CA/LA'] },
      cost: 20n,
      key: { id: 'key_2', name: 'batch', owner: 'ann' },
    },
    {
      at: '2025-01-03T10:00:00Z',
      defaults: ['team:growth'],
      cost: 10n,
      key: { id: 'key_2', name: 'batch', owner: 'ann' },
    },
    { at: '2025-01-04T10:00:00Z', cost: 10n },
    { at: '2025-01-05T10:00:00Z', body: { tags: { team: 'growth' } }, state: 'unpriced' },
  ]);
});

after(async () => {
  await ledger.close();
});

const ask = (query: Record<string, string> = {}) => tagKeys(deps, parseTagKeysQuery(query, NOW));
const askKey = (key: string, query: Record<string, string> = {}) => tagKey(deps, parseTagKeyQuery(key, query, NOW));

describe('the registry of tags', () => {
  it('says of every key what it covers, since when, and who sends it', async () => {
    const { data } = await ask();
    assert.deepEqual(data, [
      {
        key: 'team',
        group_by: 'tags.team',
        distinct_values: 2,
        calls: 4,
        cost: 9e-11,
        cost_exact: '0.00000000009',
        cost_share: 0.9,
        coverage_percent: 90,
        first_seen: '2025-01-01T10:00:00.000Z',
        last_seen: '2025-01-05T10:00:00.000Z',
        senders: 2,
        sent_by: [
          { key_id: 'key_2', key_name: 'batch', key_owner: 'ann', calls: 2 },
          { key_id: 'key_1', key_name: 'first key', key_owner: null, calls: 2 },
        ],
        description: 'Who pays',
        owner: 'finance',
      },
      {
        key: 'app.version',
        group_by: 'tags.app.version',
        distinct_values: 1,
        calls: 1,
        cost: 6e-11,
        cost_exact: '0.00000000006',
        cost_share: 0.6,
        coverage_percent: 60,
        first_seen: '2025-01-01T10:00:00.000Z',
        last_seen: '2025-01-01T10:00:00.000Z',
        senders: 1,
        sent_by: [{ key_id: 'key_1', key_name: 'first key', key_owner: null, calls: 1 }],
        description: null,
        owner: null,
      },
      {
        key: 'region',
        group_by: 'tags.region',
        distinct_values: 0,
        calls: 0,
        cost: 0,
        cost_exact: '0',
        cost_share: 0,
        coverage_percent: 0,
        first_seen: null,
        last_seen: null,
        senders: 0,
        sent_by: [],
        description: 'Not sent yet',
        owner: null,
      },
    ]);
  });

  it('has labels and the roots of paths, a call once in each', async () => {
    const { labels, paths } = await ask();
    assert.deepEqual(
      labels.map((row) => [row.label, row.tags, row.calls, row.cost_exact, row.description]),
      [['beta', 'beta', 1, '0.00000000002', 'Opted in']],
    );
    assert.deepEqual(
      paths.map((row) => [row.path, row.tags, row.calls, row.cost_exact]),
      [['US', 'US', 1, '0.00000000002']],
    );
  });

  it('says what has no tag at all', async () => {
    const { summary } = await ask();
    assert.deepEqual(summary.untagged, { calls: 1, cost: 1e-11, cost_exact: '0.00000000001', percent: 10 });
    assert.equal(summary.total_cost_exact, '0.0000000001');
  });

  it('is empty where nothing matches, without a share of nothing', async () => {
    const none = await ask({ tags: 'team:nobody' });
    assert.deepEqual(
      [none.data.map((row) => row.calls), none.labels, none.paths, none.summary.untagged.percent],
      [[0, 0], [], [], null],
    );
    const free = await ask({ start_date: '2025-01-05' });
    assert.deepEqual([free.data[0]?.calls, free.data[0]?.cost_share], [1, null]);
  });
});

describe('one key', () => {
  it('has its values, where they came from, and what it leaves out', async () => {
    const answer = await askKey('team');
    assert.deepEqual(
      answer.data.map((row) => [row.value, row.tags, row.calls, row.cost_exact, row.cost_share, row.description]),
      [
        ['growth', 'team:growth', 3, '0.00000000007', 0.7, 'Growth team'],
        ['search', 'team:search', 1, '0.00000000002', 0.2, null],
      ],
    );
    assert.deepEqual(answer.untagged, {
      calls: 1,
      cost: 1e-11,
      cost_exact: '0.00000000001',
      percent: 10,
      tags: 'team:(untagged)',
    });
    assert.deepEqual(answer.provenance, [
      { provenance: 'declared', calls: 3, cost: 8e-11, cost_exact: '0.00000000008' },
      { provenance: 'default', calls: 1, cost: 1e-11, cost_exact: '0.00000000001' },
    ]);
    assert.deepEqual([answer.coverage_percent, answer.owner, answer.distinct_values], [90, 'finance', 2]);
    assert.deepEqual(answer.pagination, { total: 2, limit: 100, offset: 0, has_more: false });
  });

  it('is ordered and paged', async () => {
    const values = async (query: Record<string, string>) => (await askKey('team', query)).data.map((row) => row.value);
    assert.deepEqual(await values({ sort: 'recent' }), ['growth', 'search']);
    assert.deepEqual(await values({ sort: 'value', limit: '1', offset: '1' }), ['search']);
    assert.deepEqual(await values({ sort: 'calls', tags: 'beta' }), ['search']);
  });

  it('that is described but not sent has no calls; an unknown one is not found', async () => {
    const answer = await askKey('region');
    assert.deepEqual([answer.calls, answer.first_seen, answer.description, answer.data], [0, null, 'Not sent yet', []]);
    for (const key of ['nobody', 'no key', '1x']) {
      await assert.rejects(
        async () => askKey(key),
        (error) => error instanceof ApportionError && error.code === 'not_found',
      );
    }
  });
});
