import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { checkDataDir } from '#cli';
import { pico, picoText, totalOf, type Bill } from '#world';
import { report } from '../journeys/record.ts';
import { untilCaughtUp } from './catching-up.ts';
import { megabytes, tellFigures, type ScenarioFigures } from './figures.ts';
import { readLedgerOfRecord, type LedgerOfRecord } from './ledger-of-record.ts';
import type { Resident } from './memory.ts';
import type { Scene } from './scene.ts';
import type { Heard } from './steady-calls.ts';
import { readStoreRows } from './store-rows.ts';

export type Case = {
  readonly heard: readonly Heard[];
  /** How often which fault struck. */
  readonly faults: ScenarioFigures['faults'];
  readonly more?: ScenarioFigures['more'];
  /** Pico-dollars that nothing in the ledger explains, and why that is right: a power cut took intents, or calls passed unrecorded. */
  readonly unexplained?: bigint;
};

/** Above what either process was ever seen to need, and far below what an unbounded queue reaches. */
const MOST_RESIDENT: Resident = { gateway: 450 * 1024 * 1024, ledger: 900 * 1024 * 1024 };

/**
 * The end of every scenario. Stops the gateway, then compares what callers were told, the upstream's bill, the journal and the
 * store: every answered call is there once, at its price; what was billed beyond is within the money at risk.
 */
export async function judge(t: TestContext, scene: Scene, seen: Case): Promise<void> {
  await untilCaughtUp(scene.gateway);
  const { summary } = await report(scene.gateway);
  const exit = await scene.gateway.stop();
  const { figures, lost, ledger, bill, rest } = await weigh(t.name, scene, seen);
  const { dataDir } = scene.gateway;
  const stored = await readStoreRows(dataDir);
  const found = await checkDataDir(dataDir, { compare: 'rows' });
  tellFigures(t, figures);

  await t.test('every answered call is in the ledger once, at the price on the bill, as its caller was told', () => {
    assert.ok(figures.answered > 0, 'no call was answered: the scenario showed nothing');
    assert.deepEqual(lost, []);
  });

  await t.test('nothing is doubled, and the numbers have no gap', () => {
    assert.deepEqual(ledger.faults, []);
  });

  await t.test('the bill of settled calls is the settled sum, and the rest is within the money at risk', () => {
    assert.equal(totalOf(bill.entries.filter(({ id }) => ledger.settled.has(id))), ledger.settledSum);
    assert.equal(ledger.boundless, 0, 'entries in doubt without the money at risk');
    const explained = ledger.atRisk + (seen.unexplained ?? 0n);
    assert.ok(rest <= explained, `${picoText(rest)} > ${picoText(explained)}`);
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

  await t.test('apportion doctor finds nothing wrong in the data directory, row by row', () => {
    assert.deepEqual(
      found.filter(({ level }) => level === 'fault'),
      [],
    );
  });

  await t.test('the gateway stops in order, and neither process grew without bound', () => {
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.ok(figures.gatewayBytes <= MOST_RESIDENT.gateway, megabytes(figures.gatewayBytes));
    assert.ok(figures.ledgerBytes <= MOST_RESIDENT.ledger, megabytes(figures.ledgerBytes));
  });
}

type Weighed = {
  readonly figures: ScenarioFigures;
  readonly lost: readonly Heard[];
  readonly ledger: LedgerOfRecord;
  readonly bill: Bill;
  /** Billed and not settled, in pico-dollars. */
  readonly rest: bigint;
};

/** What callers were told, what the upstream billed, and what the journal has of both. */
async function weigh(scenario: string, { gateway, upstream, memory }: Scene, seen: Case): Promise<Weighed> {
  const ledger = readLedgerOfRecord(gateway.dataDir);
  const bill = await upstream.bill();
  const billed = new Map(bill.entries.map((entry) => [entry.id, entry.cost]));
  const answered = seen.heard.filter(({ acknowledged }) => acknowledged);
  const lost = answered.filter(({ upstreamId, cost }) => {
    const settled = ledger.settled.get(upstreamId);
    return settled === undefined || settled !== billed.get(upstreamId) || settled !== pico(cost);
  });
  const rest = totalOf(bill.entries.filter(({ id }) => !ledger.settled.has(id)));
  const most = memory.most();
  const figures = {
    scenario,
    faults: seen.faults,
    calls: seen.heard.length,
    answered: answered.length,
    lost: lost.length,
    doubled: ledger.faults.length,
    inDoubt: ledger.inDoubt,
    atRisk: picoText(ledger.atRisk),
    billed: picoText(bill.total),
    settled: picoText(ledger.settledSum),
    rest: picoText(rest),
    gatewayBytes: most.gateway,
    ledgerBytes: most.ledger,
    more: seen.more ?? {},
  };
  return { figures, lost, ledger, bill, rest };
}
