import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ALL_APIS,
  ALL_PROVIDERS,
  driveLoad,
  pico,
  planCalls,
  startGateway,
  startUpstreamProcess,
  type Attribution,
  type Gateway,
  type Upstream,
} from '#world';
import { expectedRows, makeKey, report, reportedRows, whenStored } from './record.ts';

const CALLS = 1_000;
const SEED = 20_260;

/** The roots of the label tree a call touches: a flat label is one, a path belongs to its first segment. */
function treeRoots({ labels, paths }: Attribution): string[] {
  return [...new Set([...labels, ...paths.map((path) => path.split('/', 1).join(''))])];
}

/** The nodes one level below `prefix` that a call touches; `(other)` when it is tagged elsewhere in the tree. */
const treeChildren =
  (prefix: string) =>
  ({ labels, paths }: Attribution): string[] => {
    const below = paths.filter((path) => path.startsWith(`${prefix}/`));
    const depth = prefix.split('/').length + 1;
    if (below.length === 0) return labels.length + paths.length > 0 ? ['(other)'] : [];
    return [...new Set(below.map((path) => path.split('/').slice(0, depth).join('/')))];
  };

const dimension =
  (key: string) =>
  (attribution: Attribution): string[] => {
    const value = attribution.dimensions[key];
    return value === undefined ? [] : [value];
  };

test(`${CALLS} calls of the three official clients, half of them streams, 64 at a time: the ledger equals the upstream's bill`, async (t) => {
  const upstream: Upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway: Gateway = await startGateway({ upstream, providers: ALL_PROVIDERS });
  t.after(() => gateway.close());
  const { key } = await makeKey(gateway, { key_alias: 'load' });

  const outcomes = await driveLoad({
    calls: planCalls({ count: CALLS, seed: SEED, apis: ALL_APIS }),
    concurrency: 64,
    target: async () => ({ url: gateway.url, key }),
  });
  const bill = await upstream.bill();
  const billed = new Map(bill.entries.map((entry) => [entry.id, entry.cost]));
  const entries = await whenStored(gateway);
  const calls = outcomes.map(({ call, upstreamId }) => ({
    attribution: call.expected,
    model: call.model,
    cost: billed.get(upstreamId) ?? -1n,
  }));

  await t.test('every call is acknowledged and told its own cost', () => {
    assert.deepEqual(new Set(outcomes.map(({ error }) => error)), new Set(['']));
    assert.ok(outcomes.every(({ acknowledged }) => acknowledged));
    assert.deepEqual(new Set(outcomes.map(({ costState }) => costState)), new Set(['exact']));
    for (const { upstreamId, cost } of outcomes) assert.equal(pico(cost), billed.get(upstreamId));
  });

  await t.test('the journal holds one entry for each line of the bill, with its amount', () => {
    assert.equal(entries.length, CALLS);
    assert.deepEqual(new Map(entries.map((entry) => [entry.upstreamId, entry.cost])), billed);
  });

  await t.test('the report over everything is the bill', async () => {
    const { summary } = await report(gateway);
    assert.equal(pico(summary.total_cost_exact), bill.total);
    assert.equal(summary.total_events, CALLS);
    assert.equal(summary.unpriced_events, 0);
    assert.equal(summary.in_doubt_events, 0);
  });

  const breakdowns: [string, (attribution: Attribution) => readonly string[]][] = [
    ['entity', ({ entity }) => (entity === null ? [] : [`${entity.type}/${entity.id}`])],
    ['tags.feature', dimension('feature')],
    ['tags.env', dimension('env')],
    ['tags.customer', dimension('customer')],
    ['tags.never_sent', dimension('never_sent')],
    ['label', ({ labels }) => labels],
    ['path', treeRoots],
    ['path:US', treeChildren('US')],
    ['path:US/California', treeChildren('US/California')],
  ];
  for (const [groupBy, groupsOf] of breakdowns) {
    await t.test(`each row by ${groupBy} is the bill of its calls`, async () => {
      const { data, summary } = await report(gateway, { group_by: groupBy });
      assert.deepEqual(reportedRows(data), expectedRows(calls, groupsOf));
      // Labels and paths overlap, so their rows need not add up; the total counts each call once all the same.
      assert.equal(pico(summary.total_cost_exact), bill.total);
    });
  }

  await t.test('each row by model is the bill of its calls', async () => {
    const { data } = await report(gateway, { group_by: 'model' });
    const byModel = new Map<string, { cost: bigint; events: number }>();
    for (const { model, cost } of calls) {
      const row = byModel.get(model);
      byModel.set(model, { cost: (row?.cost ?? 0n) + cost, events: (row?.events ?? 0) + 1 });
    }
    assert.deepEqual(reportedRows(data), byModel);
  });

  for (const groupBy of ['hour', 'day', 'week', 'month', 'provider', 'key', 'status', 'tags.team']) {
    await t.test(`the rows by ${groupBy} add up to the bill`, async () => {
      const { data } = await report(gateway, { group_by: groupBy });
      assert.equal(
        data.reduce((sum, row) => sum + pico(row.total_cost_exact), 0n),
        bill.total,
      );
      assert.equal(
        data.reduce((sum, row) => sum + row.total_events, 0),
        CALLS,
      );
    });
  }

  const filters: [Record<string, string>, (attribution: Attribution) => boolean][] = [
    [{ tags: 'feature:chatbot' }, ({ dimensions }) => dimensions['feature'] === 'chatbot'],
    [
      { tags: 'feature:chatbot,env:production' },
      ({ dimensions: { feature, env } }) => feature === 'chatbot' && env === 'production',
    ],
    [{ tags: 'env:production,env:staging' }, ({ dimensions }) => dimensions['env'] !== undefined],
    [{ tags: 'beta' }, ({ labels }) => labels.includes('beta')],
    [{ tags: 'US/California' }, ({ paths }) => paths.some((path) => path.startsWith('US/California/'))],
    [{ entity_type: 'customer', entity_id: 'acme-corp' }, ({ dimensions }) => dimensions['customer'] === 'acme-corp'],
  ];
  for (const [query, matches] of filters) {
    await t.test(`the total under ${JSON.stringify(query)} is the bill of the matching calls`, async () => {
      const matching = calls.filter(({ attribution }) => matches(attribution));
      const { summary } = await report(gateway, query);
      assert.ok(matching.length > 0);
      assert.equal(summary.total_events, matching.length);
      assert.equal(
        pico(summary.total_cost_exact),
        matching.reduce((sum, { cost }) => sum + cost, 0n),
      );
    });
  }
});
