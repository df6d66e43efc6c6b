import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import {
  ALL_APIS,
  ALL_PROVIDERS,
  driveLoad,
  pico,
  picoText,
  planCalls,
  seededRandom,
  startGateway,
  startUpstreamProcess,
  totalOf,
} from '#world';
import { ask, makeKey, report, whenStored } from './record.ts';

const KILLS = 20;
const CONCURRENCY = 32;

test(`${KILLS} kills under load lose no acknowledged call, double none, and leave no money unexplained`, async (t) => {
  const seed = Number(process.env['APPORTION_TEST_SEED'] ?? randomInt(1_000_000));
  t.diagnostic(`seed ${seed} (repeat with APPORTION_TEST_SEED=${seed})`);
  const random = seededRandom(seed);
  const upstream = await startUpstreamProcess();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, providers: ALL_PROVIDERS });
  t.after(() => gateway.close());
  const { key } = await makeKey(gateway, { key_alias: 'load' });

  let strike = { after: 0, now: () => {} };
  let up = Promise.resolve();
  let over = false;
  const behaviour = { chunk_delay: 2, delay: 3 };
  function* endlessly() {
    for (const call of planCalls({ count: 1_000_000, seed, behaviour, apis: ALL_APIS })) {
      if (over) return;
      yield call;
    }
  }
  const load = driveLoad({
    calls: endlessly(),
    concurrency: CONCURRENCY,
    target: async () => {
      await up;
      return { url: gateway.url, key };
    },
    onOutcome: ({ acknowledged }) => {
      if (!acknowledged) return;
      strike.after -= 1;
      if (strike.after === 0) strike.now();
    },
  });
  for (let kills = 0; kills < KILLS; kills += 1) {
    await new Promise<void>((resolve) => {
      strike = { after: random.between(1, 120), now: resolve };
    });
    up = gateway.kill().then(() => gateway.restart());
    await up;
  }
  over = true;
  const outcomes = await load;
  const entries = await whenStored(gateway);
  const bill = await upstream.bill();

  const acknowledged = outcomes.filter((outcome) => outcome.acknowledged);
  const settled = entries.filter((entry) => entry.cost !== null);
  const inDoubt = entries.filter((entry) => entry.state === 'in_doubt');
  const settledIds = new Set(settled.map((entry) => entry.upstreamId));
  const billed = new Map(bill.entries.map((entry) => [entry.id, entry.cost]));
  const settledSum = settled.reduce((sum, entry) => sum + (entry.cost ?? 0n), 0n);
  const rest = totalOf(bill.entries.filter((entry) => !settledIds.has(entry.id)));
  const atRisk = inDoubt.reduce((sum, entry) => sum + (entry.atRisk ?? 0n), 0n);
  t.diagnostic(`${outcomes.length} calls, ${acknowledged.length} acknowledged, ${inDoubt.length} in doubt`);
  t.diagnostic(
    `bill $${picoText(bill.total)}: settled $${picoText(settledSum)}, the rest $${picoText(rest)}, at risk $${picoText(atRisk)}`,
  );

  await t.test('every acknowledged call is in the ledger exactly once, at the price on the bill', () => {
    const costs = new Map(settled.map((entry) => [entry.upstreamId, entry.cost]));
    for (const { upstreamId, cost } of acknowledged) {
      assert.equal(costs.get(upstreamId), billed.get(upstreamId), upstreamId);
      assert.equal(pico(cost), billed.get(upstreamId));
    }
  });

  await t.test('nothing is doubled', () => {
    assert.equal(new Set(entries.map((entry) => entry.entryId)).size, entries.length);
    assert.equal(new Set(entries.map((entry) => entry.callId)).size, entries.length);
    const ids = entries.map((entry) => entry.upstreamId).filter((id) => id !== '');
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      entries.map((entry) => entry.seq),
      entries.map((_, index) => index + 1),
    );
  });

  await t.test('the bill of answered calls is the settled sum, and the rest is within the money at risk', () => {
    assert.equal(totalOf(bill.entries.filter((entry) => settledIds.has(entry.id))), settledSum);
    assert.ok(inDoubt.length > 0, 'no kill hit a running call: the test showed nothing');
    assert.ok(inDoubt.every((entry) => entry.atRisk !== null));
    assert.ok(rest <= atRisk, `${picoText(rest)} > ${picoText(atRisk)}`);
  });

  await t.test('the store says the same as the journal', async () => {
    const { summary } = await report(gateway);
    assert.equal(summary.total_events, entries.length);
    assert.equal(pico(summary.total_cost_exact), settledSum);
    assert.equal(summary.in_doubt_events, inDoubt.length);
    assert.equal(pico(summary.at_risk_exact), atRisk);
  });

  await t.test('the list of requests shows every acknowledged call once', async () => {
    const listed: string[] = [];
    for (let more = true; more;) {
      const page: { data: { id: string }[]; pagination: { has_more: boolean } } = JSON.parse(
        await ask(gateway, `/v1/events?limit=1000&offset=${listed.length}`),
      );
      listed.push(...page.data.map((event) => event.id));
      more = page.pagination.has_more;
    }
    assert.equal(new Set(listed).size, listed.length);
    const missing = acknowledged.filter(({ callId }) => !listed.includes(callId));
    assert.deepEqual(missing, []);
  });
});
