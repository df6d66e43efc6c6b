import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { openSeededLedger, type Seed, type SeededLedger } from '../seeded-ledger.fixture.ts';
import type { WireFinding } from './finding.ts';
import { parseTagHygieneQuery, tagHygiene, type TagHygieneAnswer } from './hygiene.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const AT = '2025-01-20T10:00:00Z';

let ledger: SeededLedger;

function calls(count: number, body: Readonly<Record<string, unknown>>, cost = 1n): readonly Seed[] {
  return Array.from({ length: count }, () => ({ at: AT, body, cost }));
}

before(async () => {
  ledger = await openSeededLedger();
  await ledger.add([
    ...calls(20, { tags: { env: 'production' }, request_tags: ['beta'] }),
    ...calls(2, { tags: { env: 'Production' } }, 10n),
    ...calls(3, { tags: { env: 'prodction' }, request_tags: ['Beta'] }, 100n),
    ...calls(1, { tags: { user_id: '7' } }, 5n),
    ...calls(1, { tags: { userId: '7' } }, 7n),
    ...calls(2, { tags: { customer: 'ann@example.com' }, session_id: 'chat of bob@example.com' }, 1000n),
    ...Array.from({ length: 120 }, (_, at) => ({ at: AT, body: { tags: { trace: `t-${at}x` } }, cost: 1n })),
    { at: AT, cost: 50n, key: { id: 'key_2', name: 'batch', owner: 'ann' } },
    { at: AT, cost: 3n },
    { at: '2024-01-01T00:00:00Z', body: { tags: { env: 'PRODUCTION' } } },
  ]);
});

after(async () => {
  await ledger.close();
});

const ask = (query: Record<string, string> = {}): Promise<TagHygieneAnswer> =>
  tagHygiene({ store: ledger.store }, parseTagHygieneQuery(query, NOW));

function told({ data }: TagHygieneAnswer): readonly unknown[] {
  return data.map(({ kind, at, key, difference, detected, suggestion, calls: count, cost_exact, items }) => [
    [kind, at, key, difference, detected.join()].filter(Boolean).join(' '),
    suggestion,
    count,
    cost_exact,
    items.map(({ text }) => text).slice(0, 3),
  ]);
}

describe('the hygiene of tags', () => {
  it('finds spellings that mean the same, ids as tags and personal data, the dearest first', async () => {
    assert.deepEqual(told(await ask()), [
      ['personal_data value customer email', null, 2, '0.000000002', ['ann@example.com']],
      ['personal_data session email', null, 2, '0.000000002', ['chat of bob@example.com']],
      ['similar value env spelling', 'production', 5, '0.00000000032', ['production', 'prodction', 'Production']],
      ['similar label case', 'beta', 3, '0.0000000003', ['beta', 'Beta']],
      ['many_values value trace', null, 120, '0.00000000012', ['t-0x', 't-100x', 't-101x']],
      ['similar key style', 'userId', 1, '0.000000000005', ['userId', 'user_id']],
    ]);
  });

  it('a finding leads to its calls', async () => {
    const { data } = await ask();
    const filters = (found: WireFinding | undefined): unknown => found?.items.map(({ filter }) => filter);
    assert.deepEqual(filters(data.find(({ at }) => at === 'session')), [{ session_id: 'chat of bob@example.com' }]);
    assert.deepEqual(filters(data.find(({ at, kind }) => at === 'value' && kind === 'similar')), [
      { tags: 'env:production' },
      { tags: 'env:prodction' },
      { tags: 'env:Production' },
    ]);
  });

  it('says what is spent without a key, and by whom without any tag', async () => {
    const { untagged } = await ask();
    const env = untagged.by_key.find(({ key }) => key === 'env');
    assert.deepEqual(env, {
      key: 'env',
      calls: 126,
      cost: 2.185e-9,
      cost_exact: '0.000000002185',
      percent: 86.5346,
      filter: { tags: 'env:(untagged)' },
    });
    assert.deepEqual(untagged.by_api_key, [
      {
        key_id: 'key_2',
        key_name: 'batch',
        key_owner: 'ann',
        calls: 1,
        cost: 5e-11,
        cost_exact: '0.00000000005',
        percent: 100,
        filter: { 'key.id': 'key_2' },
      },
      {
        key_id: 'key_1',
        key_name: 'first key',
        key_owner: null,
        calls: 1,
        cost: 3e-12,
        cost_exact: '0.000000000003',
        percent: 0.1212,
        filter: { 'key.id': 'key_1' },
      },
    ]);
  });

  it('looks at the last thirty days unless told otherwise', async () => {
    const recent = await ask();
    assert.deepEqual(recent.summary.period, { start: '2025-01-02', end: '2025-01-31' });
    const ever = await ask({ start_date: '2024-01-01' });
    const spelt = ever.data.find(({ key }) => key === 'env');
    assert.equal(spelt?.total_items, 4);
  });

  it('of a clean or empty ledger finds nothing', async () => {
    assert.deepEqual((await ask({ tags: 'env:nowhere' })).data, []);
  });
});
