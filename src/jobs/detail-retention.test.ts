import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { costs, eventDetail, events, parseCostsQuery, parseEventsQuery } from '#analytics';
import { makePriceBook, makePrices, type PriceRow } from '#pricing';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { ApportionError, type EntryId, type Usage } from '#terms';
import { NO_QUIRKS } from '#wires';
import { retainDetail, type DetailRetention } from './detail-retention.ts';
import { openLedger, type OpenLedger } from './open-ledger.fixture.ts';
import type { JobDeps } from './job-deps.ts';
import { createRepricing } from './repricing.ts';
import type { RepriceRequest } from './reprice-request.ts';
import { createResolutions } from './resolutions.ts';
import { createTurns } from './turns.ts';

const instant = (text: string): TimestampMs => Date.parse(text) as TimestampMs;

function rowOf(model: string, input: string): PriceRow {
  return {
    id: `p/${model}`,
    layer: 'overlay',
    provider: 'p',
    model,
    match: [{ kind: 'id', id: model }],
    effectiveFrom: null,
    effectiveTo: null,
    rates: { input: { amount: input, per: 1_000_000 } },
    source: 'test',
    checked: null,
  };
}

const OLD = makePrices(makePriceBook([rowOf('known', '2')]));
const NEW = makePrices(makePriceBook([rowOf('known', '4'), rowOf('new', '6')]));
const USAGE: Usage = { meters: { input: 10 }, origin: 'reported', raw: '{"i":10}' };
const NOW = instant('2025-01-31T12:00:00Z');
const CLOCK: Clock = { ...systemClock, now: () => NOW };
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };
const REQUEST: RepriceRequest = {
  from: instant('2025-01-01T00:00:00Z'),
  to: instant('2025-02-01T00:00:00Z'),
  provider: null,
  model: null,
  states: ['unpriced', 'exact'],
  reason: 'prices were wrong',
  actor: 'admin_key',
};

describe('jobs on entries whose retention is over', () => {
  let ledger: OpenLedger;
  let retention: DetailRetention;
  let jobs: JobDeps;
  let ids: readonly EntryId[];
  const told: object[] = [];

  before(async () => {
    ledger = await openLedger();
    ids = await ledger.record([
      { at: '2025-01-01T10:00:00Z', model: 'known', usage: USAGE, prices: OLD },
      { at: '2025-01-01T11:00:00Z', model: 'new', usage: USAGE, prices: OLD },
      { at: '2025-01-30T10:00:00Z', model: 'known', usage: USAGE, prices: OLD },
    ]);
    const inTurn = createTurns();
    let numbers = 0;
    jobs = {
      store: { ...ledger.store, detailKept: () => ({ days: 10, from: instant('2025-01-21T00:00:00Z') }) },
      prices: () => NEW,
      append: ledger.append,
      untilStored: ledger.untilStored,
      audit: { record: () => Promise.resolve() },
      clock: CLOCK,
      newId: (of) => `${of}_${(numbers += 1)}`,
      reader: () => undefined,
      quirks: () => NO_QUIRKS,
      inTurn,
    };
    retention = retainDetail({
      days: 10,
      store: ledger,
      inTurn,
      untilStored: ledger.untilStored,
      clock: CLOCK,
      log: { info: (facts) => void told.push(facts), warn: (facts) => assert.fail(JSON.stringify(facts)) },
    });
    await retention.tend();
  });

  after(async () => {
    await retention.close();
    await ledger.close();
  });

  const total = async (): Promise<string> =>
    (await costs(jobs, parseCostsQuery({ ...PERIOD, group_by: 'model' }, NOW))).summary.total_cost_exact;

  it('what is left of them is said once, and a list shows them without their ids', async () => {
    assert.deepEqual(told, [{ entries: 1, days: 10, before: '2025-01-21T00:00:00.000Z' }]);
    const { data, detail_kept } = await events(jobs, parseEventsQuery(PERIOD, NOW));
    assert.deepEqual(
      data.map(({ id, entry_id, model, cost_usd_exact }) => [id === null, entry_id, model, cost_usd_exact]),
      [
        [false, ids[2], 'known', '0.00002'],
        [false, ids[1], 'new', null],
        [true, null, 'known', '0.00002'],
      ],
    );
    assert.deepEqual(detail_kept, { from: '2025-01-21T00:00:00.000Z', days: 10 });
  });

  it('prices found later reach what never had one and what is not that old; the rest is counted and stays', async () => {
    const repricing = createRepricing(jobs);
    const preview = await repricing.preview(REQUEST);
    assert.deepEqual(
      [preview.examined, preview.changed, preview.without_detail, preview.delta_exact],
      [2, 2, 1, '0.00008'],
    );
    await repricing.apply(REQUEST);
    assert.equal(await total(), '0.00012');
    await retention.tend();
    assert.equal(await total(), '0.00012');
    const again = await repricing.preview(REQUEST);
    assert.deepEqual([again.examined, again.changed, again.without_detail], [1, 0, 2]);
  });

  it('a call that is asked for by its id is told from one that never was', async () => {
    const old = `call_${NOW.toString(16).padStart(12, '0').replace(/^0194/, '0193')}7${'0'.repeat(19)}`;
    for (const [id, message] of [
      [old, `"${old}" is older than 10 days, and the store keeps details no longer.`],
      [String(ids[0]), `There is no event "${ids[0]}".`],
    ] as const)
      await assert.rejects(eventDetail(jobs, id), (error: unknown) => {
        assert.ok(error instanceof ApportionError);
        assert.deepEqual([error.code, error.message], ['not_found', message]);
        assert.match(error.hint ?? '', /store\.retention_days/);
        return true;
      });
    await assert.rejects(
      createResolutions(jobs).resolve({
        id: String(ids[0]),
        reason: 'the bill',
        actor: 'admin_key',
        resolution: { kind: 'cost', cost: OLD.price(USAGE, ATTEMPT).cost ?? assert.fail('it has a price') },
      }),
      /There is no event/,
    );
  });
});

const ATTEMPT = {
  provider: 'p',
  account: 'p',
  answered: 'known',
  asked: 'known',
  region: '',
  at: NOW,
  payer: { key: 'key_1', team: 'core', dimensions: new Map() },
};
