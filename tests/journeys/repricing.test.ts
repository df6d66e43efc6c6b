import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL_PROVIDERS, makeCall, makeClients, NATIVE_CALLS, pico, planCalls, startWorld, type World } from '#world';
import { COST_STATES } from '#terms';
import { recorded, report, reportedRows, whenStored, type Report } from './record.ts';

/** No public list knows it; the upstream bills it, without a discount for what it has cached. */
const MODEL = 'house-model';
const BILLED = { snapshot: MODEL, input: 2_000_000n, cached: 2_000_000n, output: 8_000_000n, reasons: false };
const INPUT = { amount: '2', per: 1_000_000 };
const OUTPUT = { amount: '8', per: 1_000_000 };
const PRICE = {
  provider: 'openai',
  model: MODEL,
  source: 'house',
  checked: '2026-01-01',
  effective_from: '2020-01-01',
};
const CALLS = 12;
const JOB = { from: '2020-01-01', reason: 'the price of house-model was missing' };

let world: World;

before(async () => {
  world = await startWorld({ models: { [MODEL]: BILLED }, providers: ALL_PROVIDERS });
});

after(async () => {
  await world.close();
});

async function post(path: string, body: object): Promise<Record<string, unknown>> {
  const { url, adminKey } = world.gateway;
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

async function summary(): Promise<Report['summary']> {
  await whenStored(world.gateway);
  return (await report(world.gateway)).summary;
}

test('calls without a price come to the upstream’s bill once it is stated: previewed, applied, once, and after kill -9', async (t) => {
  const { gateway, upstream } = world;
  const target = { url: gateway.url, key: gateway.adminKey };
  for (const plan of planCalls({ count: CALLS, seed: 5 })) {
    const outcome = await makeCall({ ...plan, model: `openai/${MODEL}` }, target);
    assert.equal(outcome.error, '');
    assert.equal(outcome.costState, 'unpriced');
  }
  const { total: bill } = await upstream.bill();

  await t.test('without one they are unpriced, and no money', async () => {
    const { unpriced_events: unpriced, total_cost_exact: cost } = await summary();
    assert.deepEqual([unpriced, cost], [CALLS, '0']);
  });

  await t.test('a preview says what the bill is, and records nothing', async () => {
    await post('/v1/prices', { ...PRICE, rates: { input: INPUT, cache_read: INPUT, output_text: OUTPUT } });
    const preview = await post('/v1/prices/reprice', { ...JOB, mode: 'preview' });
    assert.deepEqual([preview['changed'], preview['applied']], [CALLS, 0]);
    assert.equal(pico(String(preview['delta_exact'])), bill);
    assert.equal(recorded(gateway.dataDir).length, CALLS);
  });

  await t.test('applied, every breakdown adds up to the bill, and nothing is unpriced', async () => {
    const applied = await post('/v1/prices/reprice', { ...JOB, mode: 'apply' });
    assert.equal(applied['applied'], CALLS);
    for (const groupBy of ['model', 'key', 'cost_state', 'day', 'tags.team', 'entity', 'status']) {
      const { data, summary: sums } = await report(gateway, { group_by: groupBy });
      assert.equal(pico(sums.total_cost_exact), bill);
      assert.equal(
        data.reduce((sum, row) => sum + pico(row.total_cost_exact), 0n),
        bill,
        groupBy,
      );
      assert.deepEqual([sums.unpriced_events, sums.total_events], [0, CALLS]);
    }
    const states = await report(gateway, { group_by: 'cost_state' });
    assert.deepEqual(reportedRows(states.data), new Map([['exact', { cost: bill, events: CALLS }]]));
  });

  await t.test('a second time there is nothing to do, after kill -9 too', async () => {
    const exact = { ...JOB, states: ['exact', 'unpriced'], mode: 'apply' };
    assert.equal((await post('/v1/prices/reprice', exact))['applied'], 0);
    await gateway.kill();
    await gateway.restart();
    const again = await post('/v1/prices/reprice', exact);
    assert.deepEqual([again['examined'], again['applied']], [CALLS, 0]);
    assert.equal(pico((await summary()).total_cost_exact), bill);
    assert.equal(recorded(gateway.dataDir).length, 2 * CALLS);
  });
});

test('on every wire, usage read again from the ledger is what was read from the answer: the same prices change nothing', async () => {
  const { gateway } = world;
  const clients = makeClients({ url: gateway.url, key: gateway.adminKey });
  for (const call of NATIVE_CALLS) await call.run(clients);
  await whenStored(gateway);
  const all = await post('/v1/prices/reprice', { mode: 'preview', from: '2020-01-01', states: COST_STATES });
  assert.deepEqual([all['changed'], all['largest']], [0, []]);
  assert.ok(Number(all['examined']) >= NATIVE_CALLS.length);
});
