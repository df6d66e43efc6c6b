import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { parseUsd } from '#terms';
import { costs, parseCostsQuery, type CostsAnswer } from './costs.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

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

function nodesOf({ data }: CostsAnswer): Record<string, readonly unknown[]> {
  return Object.fromEntries(
    data.map((row) => {
      const direct = row['direct'];
      const exact =
        typeof direct === 'object' && direct !== null && 'total_cost_exact' in direct ? direct.total_cost_exact : null;
      return [row.value, [row.total_cost_exact, exact, row['has_children']]];
    }),
  );
}

describe('paths', () => {
  const day = { start_date: '2025-01-03', end_date: '2025-01-03' };

  before(async () => {
    const at = '2025-01-03T10:00:00Z';
    await ledger.add([
      { at, body: { request_tags: ['US/California/SF', 'US/California/LA', 'beta'] }, cost: 1n },
      { at, body: { request_tags: ['US'] }, cost: 20n },
      { at, body: { request_tags: ['UK/London', 'https://a.b/c'] }, cost: 300n },
      { at, cost: 4000n },
      { at, body: { request_tags: ['US/California'] }, cost: 50_000n },
    ]);
  });

  it('the roots have all below them rolled up, and what is directly there', async () => {
    const answer = await ask({ ...day, group_by: 'path' });
    assert.deepEqual(nodesOf(answer), {
      US: ['0.000000050021', '0.00000000002', true],
      '(untagged)': ['0.000000004', null, false],
      UK: ['0.0000000003', '0', true],
      'https://a.b/c': ['0.0000000003', '0.0000000003', false],
      beta: ['0.000000000001', '0.000000000001', false],
    });
    assert.equal(answer.overlapping, true);
    assert.equal(answer.summary.total_cost_exact, '0.000000054321');
  });

  it('below a node stand its children, what is (direct)ly there, and what is elsewhere', async () => {
    const answer = await ask({ ...day, group_by: 'path:US' });
    assert.deepEqual(nodesOf(answer), {
      'US/California': ['0.000000050001', '0.00000005', true],
      '(untagged)': ['0.000000004', null, false],
      '(direct)': ['0.00000000002', '0.00000000002', false],
      '(other)': ['0.0000000003', null, false],
    });
    assert.deepEqual(
      answer.data.map((row) => [row.value, row['path'], row['is_direct'], row.untagged, row.other]),
      [
        ['US/California', 'US/California', false, false, false],
        ['(untagged)', null, false, true, false],
        ['(direct)', 'US', true, false, false],
        ['(other)', null, false, false, true],
      ],
    );
  });

  it('at any depth', async () => {
    assert.deepEqual(nodesOf(await ask({ ...day, group_by: 'path:US/California', tags: 'US/California' })), {
      '(direct)': ['0.00000005', '0.00000005', false],
      'US/California/LA': ['0.000000000001', '0.000000000001', false],
      'US/California/SF': ['0.000000000001', '0.000000000001', false],
    });
    assert.deepEqual(nodesOf(await ask({ ...day, group_by: 'path:US/Cal', tags: 'US' })), {
      '(other)': ['0.000000050021', null, false],
    });
  });

  it('over time, a series per node', async () => {
    const query = parseTimeseriesQuery({ ...day, group_by: 'path:US' }, NOW);
    const answer = await timeseries({ store: ledger.store }, query);
    assert.deepEqual(
      answer.data.map((point) => [point.date, point.value, point.total_cost_exact]),
      [
        ['2025-01-03', '(untagged)', '0.000000004'],
        ['2025-01-03', 'US/California', '0.000000050001'],
        ['2025-01-03', '(direct)', '0.00000000002'],
      ],
    );
  });
});

describe('a dimension whose values are paths', () => {
  const day = { start_date: '2025-01-04', end_date: '2025-01-04' };

  before(async () => {
    const teams = ['eng', 'eng/search', 'eng/search/web', 'eng/ads/', 'sales', 'http://x/y', '/a/b', undefined];
    await ledger.add(
      teams.map((team, at) => ({
        at: '2025-01-04T10:00:00Z',
        ...(team === undefined ? {} : { body: { tags: { team } } }),
        cost: 10n ** BigInt(at),
      })),
    );
  });

  it('is a partition by the whole value', async () => {
    const { data, overlapping } = await ask({ ...day, group_by: 'tags.team' });
    assert.equal(overlapping, false);
    assert.equal(data.length, 8);
  });

  it('rolls up to its roots', async () => {
    assert.deepEqual(nodesOf(await ask({ ...day, group_by: 'tags.team:/' })), {
      '(untagged)': ['0.00001', null, false],
      '/a': ['0.000001', '0', true],
      'http:': ['0.0000001', '0', true],
      eng: ['0.000000001111', '0.000000000001', true],
      sales: ['0.00000001', '0.00000001', false],
    });
  });

  it('and is opened level by level, every level adding up to the total', async () => {
    const below = await ask({ ...day, group_by: 'tags.team:eng' });
    assert.deepEqual(nodesOf(below), {
      '(untagged)': ['0.00001', null, false],
      'eng/ads': ['0.000000001', '0.000000001', false],
      'eng/search': ['0.00000000011', '0.00000000001', true],
      '(direct)': ['0.000000000001', '0.000000000001', false],
      '(other)': ['0.00000111', null, undefined],
    });
    assert.deepEqual(nodesOf(await ask({ ...day, group_by: 'tags.team:http:', tags: 'team:http\\:' })), {
      'http://x': ['0.0000001', '0', true],
    });
  });
});

describe('a value of nothing but slashes', () => {
  it('is a root of its own, with all of it directly there', async () => {
    await ledger.add([{ at: '2025-01-06T10:00:00Z', body: { tags: { team: '//' } }, cost: 7n }]);
    const answer = await ask({ start_date: '2025-01-06', end_date: '2025-01-06', group_by: 'tags.team:/' });
    assert.deepEqual(nodesOf(answer), { '//': ['0.000000000007', '0.000000000007', false] });
  });
});

describe('every tree', () => {
  const segment = fc.constantFrom('a', 'b', 'ab');
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
  const call = fc.record({ tags: fc.array(path, { maxLength: 4 }), cost: fc.bigInt({ min: 0n, max: 10n ** 6n }) });

  it('counts a call once per node, even if two of its paths share a prefix', async () => {
    const calls = fc.sample(call, { numRuns: 200, seed: 11 });
    await ledger.add(
      calls.map(({ tags, cost }): Seed => ({ at: '2025-01-05T10:00:00Z', body: { request_tags: tags }, cost })),
    );
    const expected = (node: string): readonly [bigint, number] => {
      const there = calls.filter(({ tags }) => tags.some((tag) => tag === node || tag.startsWith(`${node}/`)));
      return [there.reduce((sum, { cost }) => sum + cost, 0n), there.length];
    };
    let nodes = 0;
    const check = async (group_by: string): Promise<void> => {
      const answer = await ask({ start_date: '2025-01-05', end_date: '2025-01-05', group_by });
      for (const row of answer.data.filter(({ untagged, other }) => !untagged && !other)) {
        if (row['is_direct'] === true) continue;
        nodes += 1;
        assert.deepEqual([parseUsd(row.total_cost_exact), row.total_events], expected(row.value), row.value);
        if (row['has_children'] === true) await check(`path:${row.value}`);
      }
    };
    await check('path');
    const all = new Set(
      calls.flatMap(({ tags }) =>
        tags.flatMap((tag) => tag.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))),
      ),
    );
    assert.equal(nodes, all.size);
  });
});
