import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { costs, eventDetail, parseCostsQuery } from '#analytics';
import { makePriceBook, makePrices, NO_TERMS, type Markup, type PriceRow, type Prices } from '#pricing';
import { systemClock, type TimestampMs } from '#std';
import { ApportionError, parseUsd, type EntryId, type Usage } from '#terms';
import { NO_QUIRKS, type UsageReader } from '#wires';
import { openLedger, type Call, type OpenLedger } from './open-ledger.fixture.ts';
import type { JobDeps } from './job-deps.ts';
import { createRepricing } from './repricing.ts';
import type { RepriceRequest, Repricing } from './reprice-request.ts';
import { createTurns } from './turns.ts';

const instant = (text: string): TimestampMs => Date.parse(text) as TimestampMs;

function rowOf(model: string, changes: Partial<PriceRow> = {}): PriceRow {
  return {
    id: `p/${model}`,
    layer: 'overlay',
    provider: 'p',
    model,
    match: [{ kind: 'id', id: model }],
    effectiveFrom: null,
    effectiveTo: null,
    rates: { input: { amount: '2', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
    source: 'test',
    checked: null,
    ...changes,
  };
}

const OLD = makePrices(makePriceBook([rowOf('known')]));
const NEW = makePrices(makePriceBook([rowOf('known'), rowOf('new')]));
const DEARER = makePrices(
  makePriceBook([
    rowOf('known', {
      id: 'p/known@2',
      rates: { input: { amount: '4', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
    }),
    rowOf('new'),
  ]),
);

/** 10 in, 5 out: 60 pico-dollars × 10⁶ at 2 and 8 $/M. */
const USAGE: Usage = { meters: { input: 10, output_text: 5 }, origin: 'reported', raw: '{"i":10,"o":5}' };
const DAY = { from: instant('2025-01-01T00:00:00Z'), to: instant('2025-01-04T00:00:00Z') };
const REQUEST: RepriceRequest = {
  ...DAY,
  provider: null,
  model: null,
  states: ['unpriced'],
  reason: 'prices of new were missing',
  actor: 'admin_key',
};

type Recorded = Parameters<JobDeps['audit']['record']>[0];

type Bench = {
  readonly ledger: OpenLedger;
  readonly audit: Recorded[];
  job(prices: Prices, more?: Partial<JobDeps>): Repricing;
};

async function openBench(calls: readonly Call[]): Promise<Bench> {
  const ledger = await openLedger();
  await ledger.record(calls);
  const audit: Recorded[] = [];
  let ids = 0;
  return {
    ledger,
    audit,
    job: (prices, more = {}) =>
      createRepricing({
        store: ledger.store,
        prices: () => prices,
        append: ledger.append,
        untilStored: ledger.untilStored,
        audit: { record: async (event) => void audit.push(event) },
        clock: systemClock,
        newId: () => `reprice_${(ids += 1)}`,
        reader: () => undefined,
        quirks: () => NO_QUIRKS,
        inTurn: createTurns(),
        ...more,
      }),
  };
}

async function totalOf({ store }: OpenLedger): Promise<{ cost: bigint | undefined; unpriced: number; events: number }> {
  const query = { start_date: '2025-01-01', end_date: '2025-01-05', group_by: 'tags.team' };
  const { summary, data } = await costs({ store }, parseCostsQuery(query, instant('2025-01-06T00:00:00Z')));
  const parts = data.map((row) => parseUsd(row.total_cost_exact) ?? assert.fail('a part is exact'));
  const cost = parseUsd(summary.total_cost_exact);
  assert.equal(
    parts.reduce((sum: bigint, part) => sum + part, 0n),
    cost,
  );
  return { cost, unpriced: summary.unpriced_events, events: summary.total_events };
}

describe('calls that had no price', () => {
  let bench: Bench;

  before(async () => {
    bench = await openBench([
      { at: '2025-01-01T10:00:00Z', model: 'known', usage: USAGE, prices: OLD, tags: { team: 'core' } },
      {
        at: '2025-01-01T11:00:00Z',
        model: 'new',
        usage: USAGE,
        prices: OLD,
        tags: { team: 'core', 'app.version': '2' },
      },
      { at: '2025-01-03T11:00:00Z', model: 'new', usage: USAGE, prices: OLD },
      { at: '2025-01-03T12:00:00Z', model: 'unknown', usage: USAGE, prices: OLD },
      { at: '2025-01-03T13:00:00Z', model: 'new', usage: null, prices: OLD },
      { at: '2025-01-03T14:00:00Z', model: 'new', usage: null, prices: OLD, lost: true },
      { at: '2025-01-05T10:00:00Z', model: 'new', usage: USAGE, prices: OLD },
    ]);
  });

  after(async () => {
    await bench.ledger.close();
  });

  it('a preview says what would change, and changes nothing', async () => {
    const preview = await bench.job(NEW).preview(REQUEST);
    assert.deepEqual(
      { ...preview, largest: preview.largest.length },
      {
        id: 'reprice_1',
        mode: 'preview',
        price_book: NEW.version,
        examined: 3,
        changed: 2,
        unchanged: 1,
        without_usage: 0,
        without_detail: 0,
        without_price: 1,
        kept: 0,
        unpriced_before: 3,
        unpriced_after: 1,
        old_cost_exact: '0',
        new_cost_exact: '0.00012',
        delta_exact: '0.00012',
        list_delta_exact: '0.00012',
        billed_delta_exact: '0.00012',
        by_model: [
          {
            provider: 'p',
            model: 'new',
            examined: 2,
            changed: 2,
            old_cost_exact: '0',
            new_cost_exact: '0.00012',
            delta_exact: '0.00012',
          },
          {
            provider: 'p',
            model: 'unknown',
            examined: 1,
            changed: 0,
            old_cost_exact: '0',
            new_cost_exact: '0',
            delta_exact: '0',
          },
        ],
        largest: 2,
        applied: 0,
      },
    );
    assert.deepEqual(preview.largest[0], {
      entry_id: 'call_00000000000000000000000000000002.1.attempt.0',
      timestamp: '2025-01-01T11:00:00.000Z',
      provider: 'p',
      model: 'new',
      old_state: 'unpriced',
      new_state: 'exact',
      old_cost_exact: null,
      new_cost_exact: '0.00006',
      delta_exact: '0.00006',
    });
    assert.equal(bench.ledger.durable(), 7);
    assert.deepEqual(bench.audit, []);
  });

  it('are priced by corrections, once, and who did it why is written down', async () => {
    const job = bench.job(NEW);
    const applied = await job.apply(REQUEST);
    assert.deepEqual([applied.applied, applied.delta_exact], [2, '0.00012']);
    assert.equal(bench.ledger.durable(), 9);
    assert.deepEqual(await totalOf(bench.ledger), { cost: 180_000_000n, unpriced: 2, events: 7 });
    const event = await eventDetail({ store: bench.ledger.store }, 'call_00000000000000000000000000000002');
    assert.deepEqual(
      [event.cost_state, event.cost_usd_exact, event.corrections.length, event.price_book],
      ['exact', '0.00006', 1, NEW.version],
    );
    const again = await job.apply(REQUEST);
    assert.deepEqual([again.applied, again.changed, again.examined], [0, 0, 1]);
    assert.equal(bench.ledger.durable(), 9);
    assert.deepEqual(
      bench.audit.map(({ actor, action, target }) => [actor, action, target]),
      [
        ['admin_key', 'reprice.begin', applied.id],
        ['admin_key', 'reprice.apply', applied.id],
        ['admin_key', 'reprice.begin', again.id],
        ['admin_key', 'reprice.apply', again.id],
      ],
    );
    const { reason, preview, applied: did } = bench.audit[1]?.detail ?? {};
    assert.equal(reason, REQUEST.reason);
    assert.ok(typeof preview === 'object' && typeof did === 'object');
    assert.deepEqual({ ...did, mode: 0, id: 0, applied: 0 }, { ...preview, mode: 0, id: 0, applied: 0 });
  });
});

describe('prices that were wrong', () => {
  let bench: Bench;
  const all = { ...REQUEST, states: ['exact', 'reported', 'estimated'] as const };

  before(async () => {
    bench = await openBench([
      { at: '2025-01-01T10:00:00Z', model: 'known', usage: USAGE, prices: OLD },
      { at: '2025-01-01T10:00:00Z', model: 'known', usage: { ...USAGE, reportedCost: '0.5' }, prices: OLD },
      { at: '2025-01-02T10:00:00Z', model: 'known', usage: { ...USAGE, origin: 'estimated', raw: '' }, prices: OLD },
    ]);
  });

  after(async () => {
    await bench.ledger.close();
  });

  it('are corrected by the difference; what the provider reported stays, and the computed cost beside it moves', async () => {
    const applied = await bench.job(DEARER).apply(all);
    assert.deepEqual(
      [applied.examined, applied.applied, applied.old_cost_exact, applied.new_cost_exact],
      [3, 3, '0.50012', '0.50016'],
    );
    const reported = await eventDetail({ store: bench.ledger.store }, 'call_00000000000000000000000000000002');
    assert.deepEqual(
      [reported.cost_state, reported.cost_usd_exact, reported.computed_cost_usd_exact],
      ['reported', '0.5', '0.00008'],
    );
    const estimated = await eventDetail({ store: bench.ledger.store }, 'call_00000000000000000000000000000003');
    assert.deepEqual([estimated.cost_state, estimated.cost_usd_exact], ['estimated', '0.00008']);
  });

  it('and corrected back, all of it is as it was at first', async () => {
    await bench.job(OLD).apply(all);
    assert.equal((await totalOf(bench.ledger)).cost, 500_120_000_000n);
    assert.equal((await bench.job(OLD).apply(all)).applied, 0);
  });

  it('that are gone do not make a known cost unknown', async () => {
    const none = await bench.job(makePrices(makePriceBook([]))).apply(all);
    assert.deepEqual([none.changed, none.without_price], [0, 3]);
    const half = makePrices(makePriceBook([rowOf('known', { rates: { input: { amount: '2', per: 1_000_000 } } })]));
    const kept = await bench.job(half).apply({ ...all, states: ['exact'] });
    assert.deepEqual([kept.changed, kept.kept], [0, 1]);
  });

  it('a markup changes what is billed, and not the cost', async () => {
    const markup: Markup = {
      id: 'markup_1',
      effectiveFrom: null,
      effectiveTo: null,
      provider: null,
      model: null,
      team: 'core',
      key: null,
      tag: null,
      markup: '0.5',
    };
    const prices = makePrices(makePriceBook([rowOf('known')]), { ...NO_TERMS, markups: [markup] });
    const applied = await bench.job(prices).apply({ ...all, states: ['exact'] });
    assert.deepEqual([applied.delta_exact, applied.billed_delta_exact], ['0', '0.00003']);
    const event = await eventDetail({ store: bench.ledger.store }, 'call_00000000000000000000000000000001');
    assert.deepEqual(
      [event.cost_usd_exact, event.billed_usd_exact, event.price_terms],
      ['0.00006', '0.00009', ['markup_1']],
    );
  });
});

describe('usage', () => {
  const reader: UsageReader = (usage) => {
    const { i, o } = JSON.parse(String(usage));
    return { meters: { input: i - 4, cache_read: 4, output_text: o }, origin: 'reported', raw: String(usage) };
  };

  it('is read again as its wire is read today, and what no usage object says is kept', async (t) => {
    const searched: Usage = { ...USAGE, meters: { ...USAGE.meters, web_search: 1 } };
    const bench = await openBench([
      { at: '2025-01-01T10:00:00Z', model: 'm', usage: searched, prices: OLD },
      { at: '2025-01-01T10:00:00Z', model: 'm', usage: searched, wire: 'other.wire', prices: OLD },
    ]);
    t.after(() => bench.ledger.close());
    const rates = {
      input: { amount: '2', per: 1_000_000 },
      cache_read: { amount: '1', per: 1_000_000 },
      output_text: { amount: '8', per: 1_000_000 },
      web_search: { amount: '10', per: 1000 },
    };
    const prices = makePrices(makePriceBook([rowOf('m', { rates })]));
    const job = bench.job(prices, { reader: (wire) => (wire === 'openai.chat' ? reader : undefined) });
    const applied = await job.apply(REQUEST);
    assert.deepEqual(
      applied.largest.map((change) => change.new_cost_exact),
      ['0.01006', '0.010056'],
    );
    const event = await eventDetail({ store: bench.ledger.store }, 'call_00000000000000000000000000000001');
    assert.deepEqual(event.meters, { input: 6, cache_read: 4, output_text: 5, web_search: 1 });
    assert.deepEqual([event.input_tokens, event.usage_raw], [10, { i: 10, o: 5 }]);
  });
});

describe('a job', () => {
  const MANY = 1200;

  it('that dies in the middle is taken up by the next one, which corrects the rest and nothing twice', async (t) => {
    const at = (n: number): string => new Date(instant('2025-01-01T00:00:00Z') + n * 60_000).toISOString();
    const bench = await openBench(
      Array.from({ length: MANY }, (_, n) => ({ at: at(n), model: 'new', usage: USAGE, prices: OLD })),
    );
    t.after(() => bench.ledger.close());
    let appended = 0;
    const dying = bench.job(NEW, {
      append: async (entries: readonly { readonly id: EntryId; readonly body: string }[]) => {
        if (appended > 0) throw new ApportionError('journal_unavailable', 'The process died.');
        appended += 300;
        await bench.ledger.append(entries.slice(0, 300));
        throw new ApportionError('journal_unavailable', 'The process died.');
      },
    });
    await assert.rejects(dying.apply(REQUEST), /The process died/);
    assert.deepEqual(
      bench.audit.map(({ action }) => action),
      ['reprice.begin', 'reprice.fail'],
    );
    const rest = await bench.job(NEW).apply(REQUEST);
    assert.equal(rest.applied, MANY - 300);
    assert.deepEqual(await totalOf(bench.ledger), { cost: BigInt(MANY) * 60_000_000n, unpriced: 0, events: MANY });
  });

  it('waits for the one before it, so that two at once correct each entry once', async (t) => {
    const bench = await openBench([{ at: '2025-01-01T10:00:00Z', model: 'new', usage: USAGE, prices: OLD }]);
    t.after(() => bench.ledger.close());
    const job = bench.job(NEW);
    const both = await Promise.all([job.apply(REQUEST), job.apply(REQUEST)]);
    assert.deepEqual(
      both.map(({ applied }) => applied),
      [1, 0],
    );
  });

  it('looks only at the provider and model it is told', async (t) => {
    const bench = await openBench([
      { at: '2025-01-01T10:00:00Z', model: 'new', usage: USAGE, prices: OLD },
      { at: '2025-01-01T10:00:00Z', model: 'other', provider: 'q', usage: USAGE, prices: OLD },
    ]);
    t.after(() => bench.ledger.close());
    const job = bench.job(NEW);
    const examined = async (more: Partial<RepriceRequest>) => (await job.preview({ ...REQUEST, ...more })).examined;
    assert.deepEqual(
      [
        await examined({}),
        await examined({ provider: 'q' }),
        await examined({ model: 'new' }),
        await examined({ model: 'q/other' }),
        await examined({ provider: 'q', model: 'new' }),
      ],
      [2, 1, 1, 1, 0],
    );
  });
});
