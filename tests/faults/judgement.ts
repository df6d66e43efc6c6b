import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { pico, picoText, totalOf } from '#world';
import { report } from '../journeys/record.ts';
import { untilCaughtUp } from './catching-up.ts';
import { megabytes, tellFigures, type Figures } from './figures.ts';
import { readLedgerOfRecord } from './ledger-of-record.ts';
import type { Resident } from './memory.ts';
import type { Scene } from './scene.ts';
import type { Heard } from './steady-calls.ts';
import { readStoreRows } from './store-rows.ts';

export type Case = {
  readonly heard: readonly Heard[];
  /** What happened, for the table. */
  readonly figures: Figures;
  /** Pico-dollars that nothing in the ledger explains, and why that is right: a power cut took intents, or calls passed unrecorded. */
  readonly unexplained?: bigint;
};

/** Above what either process was ever seen to need, and far below what an unbounded queue reaches. */
const MOST_RESIDENT: Resident = { gateway: 450 * 1024 * 1024, ledger: 900 * 1024 * 1024 };

/**
 * The end of every scenario. Stops the gateway, then compares what callers were told, the upstream's bill, the journal and the
 * store: every answered call is there once, at its price; what was billed beyond is within the money at risk.
 */
export async function judge(t: TestContext, scene: Scene, { heard, figures, unexplained = 0n }: Case): Promise<void> {
  const { gateway, upstream, memory } = scene;
  await untilCaughtUp(gateway);
  const { summary } = await report(gateway);
  const exit = await gateway.stop();
  const ledger = readLedgerOfRecord(gateway.dataDir);
  const stored = await readStoreRows(gateway.dataDir);
  const bill = await upstream.bill();
  const answered = heard.filter(({ acknowledged }) => acknowledged);
  const rest = totalOf(bill.entries.filter(({ id }) => !ledger.settled.has(id)));
  const most = memory.most();
  tellFigures(t, t.name, {
    ...figures,
    calls: heard.length,
    answered: answered.length,
    entries: ledger.entries,
    'in doubt': ledger.inDoubt,
    'bill $': picoText(bill.total),
    'settled $': picoText(ledger.settledSum),
    'the rest $': picoText(rest),
    'at risk $': picoText(ledger.atRisk),
    'gateway at most': megabytes(most.gateway),
    'ledger at most': megabytes(most.ledger),
  });

  await t.test('every answered call is in the ledger once, at the price on the bill, as its caller was told', () => {
    assert.ok(answered.length > 0, 'no call was answered: the scenario showed nothing');
    const billed = new Map(bill.entries.map((entry) => [entry.id, entry.cost]));
    const wrong = answered.filter(({ upstreamId, cost }) => {
      const settled = ledger.settled.get(upstreamId);
      return settled === undefined || settled !== billed.get(upstreamId) || settled !== pico(cost);
    });
    assert.deepEqual(wrong, []);
  });

  await t.test('nothing is doubled, and the numbers have no gap', () => {
    assert.deepEqual(ledger.faults, []);
  });

  await t.test('the bill of settled calls is the settled sum, and the rest is within the money at risk', () => {
    assert.equal(totalOf(bill.entries.filter(({ id }) => ledger.settled.has(id))), ledger.settledSum);
    assert.equal(ledger.boundless, 0, 'entries in doubt without the money at risk');
    assert.ok(rest <= ledger.atRisk + unexplained, `${picoText(rest)} > ${picoText(ledger.atRisk + unexplained)}`);
  });

  await t.test('the store has every entry of the journal once, and reports say the same', () => {
    assert.equal(stored.length, ledger.rows.length);
    assert.deepEqual(stored.filter((row, index) => row !== ledger.rows[index]).slice(0, 10), []);
    assert.deepEqual(
      {
        entries: summary.total_events,
        cost: pico(summary.total_cost_exact),
        inDoubt: summary.in_doubt_events,
        atRisk: pico(summary.at_risk_exact),
      },
      { entries: ledger.entries, cost: ledger.settledSum, inDoubt: ledger.inDoubt, atRisk: ledger.atRisk },
    );
  });

  await t.test('the gateway stops in order, and neither process grew without bound', () => {
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.ok(most.gateway <= MOST_RESIDENT.gateway, megabytes(most.gateway));
    assert.ok(most.ledger <= MOST_RESIDENT.ledger, megabytes(most.ledger));
  });
}
