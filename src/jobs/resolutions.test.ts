import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { eventDetail } from '#analytics';
import { makePriceBook, makePrices, type Prices } from '#pricing';
import { ApportionError, COST_STATES, picoUsd, type Usage } from '#terms';
import { amountsOf, instant, MARKED_UP, openBench, PRICES, rowOf, type JobBench } from './job-bench.fixture.ts';
import type { JobDeps } from './job-deps.ts';
import type { Call } from './open-ledger.fixture.ts';
import { createRepricing } from './repricing.ts';
import type { ResolveManyRequest, ResolveRequest } from './resolution-request.ts';
import { createResolutions } from './resolutions.ts';

const RAW = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const USAGE: Usage = { meters: { input: 10, output_text: 5 }, origin: 'reported', raw: JSON.stringify(RAW) };

/** 0.000005 is reserved for each call of these tests; an answered one costs 0.00006, where it has a price. */
const lost = (at: string, more: Partial<Call> = {}): Call => ({
  at,
  model: 'known',
  usage: null,
  prices: PRICES,
  lost: true,
  tags: { team: 'core' },
  ...more,
});

async function open(t: TestContext, calls: readonly Call[], prices: Prices = PRICES): Promise<JobBench> {
  const bench = await openBench(calls, prices);
  t.after(() => bench.ledger.close());
  return bench;
}

function one(bench: JobBench, at: number, more: Partial<ResolveRequest> = {}): ResolveRequest {
  const cost = { kind: 'cost' as const, cost: picoUsd(4_000_000n) };
  return { id: bench.calls[at] ?? '', resolution: cost, reason: 'the bill says so', actor: 'admin_key', ...more };
}

function many(more: Partial<ResolveManyRequest> = {}): ResolveManyRequest {
  const which = { olderThanHours: 0, provider: null, model: null };
  return { ...which, policy: 'at_risk', reason: 'closing the month', actor: 'admin_key', ...more };
}

const refusal = (code: string, param: string) => (error: unknown) =>
  error instanceof ApportionError && error.code === code && error.param === param && error.hint !== null;

const repriceAll = (deps: JobDeps, prices: Prices) =>
  createRepricing({ ...deps, prices: () => prices }).apply({
    from: instant('2025-01-01T00:00:00Z'),
    to: instant('2025-01-05T00:00:00Z'),
    provider: null,
    model: null,
    states: COST_STATES,
    reason: 'prices',
    actor: 'admin_key',
  });

const DEARER = makePrices(
  makePriceBook([
    {
      ...rowOf('known'),
      id: 'p/known@2',
      rates: { input: { amount: '4', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
    },
  ]),
);

describe('C10: a call in doubt', () => {
  it('costs what is stated from then on: nothing of it is at risk, and what is charged on follows', async (t) => {
    const bench = await open(t, [lost('2025-01-01T10:00:00Z'), lost('2025-01-02T10:00:00Z')], MARKED_UP);
    const { resolve } = createResolutions(bench.deps);
    const done = await resolve(one(bench, 0));
    assert.deepEqual(done, {
      object: 'resolution',
      call_id: bench.calls[0]?.split('.')[0],
      entry_id: bench.calls[0],
      correction_id: `${bench.calls[0]?.split('.')[0]}.1.correction.1`,
      applied: 1,
      old_state: 'in_doubt',
      cost_state: 'reported',
      old_cost_exact: null,
      cost_usd_exact: '0.000004',
      billed_usd_exact: '0.000006',
      list_cost_usd_exact: null,
      at_risk_before_exact: '0.000005',
      meters: {},
    });
    const answer = await bench.report({ group_by: 'tags.team' });
    assert.deepEqual(amountsOf(answer), { cost: '0.000004', list: '0.000004', billed: '0.000006', risk: '0.000005' });
    const { summary } = answer;
    assert.deepEqual(
      [summary.total_events, summary.in_doubt_events, summary.reported_cost_exact, summary.estimated_events],
      [2, 1, '0.000004', 0],
    );
    const event = await eventDetail({ store: bench.ledger.store }, done.call_id);
    assert.deepEqual(
      [event.cost_state, event.cost_usd_exact, event.at_risk_exact, event.corrections.map(({ reason }) => reason)],
      ['reported', '0.000004', null, ['resolved_cost']],
    );
    assert.deepEqual(
      bench.audit.map(({ action, target, detail }) => [action, target, detail['reason'], detail['old_state']]),
      ['begin', 'apply'].map((step) => [`resolve.${step}`, done.correction_id, 'the bill says so', 'in_doubt']),
    );
  });

  it('asked again stands already, and is refused another cost, which would be an adjustment', async (t) => {
    const bench = await open(t, [lost('2025-01-01T10:00:00Z')]);
    const { resolve } = createResolutions(bench.deps);
    const callId = bench.calls[0]?.split('.')[0] ?? '';
    await Promise.all([resolve(one(bench, 0)), resolve(one(bench, 0, { id: callId }))]);
    const again = await resolve(one(bench, 0, { id: `${callId}.1.correction.1` }));
    assert.deepEqual([again.applied, again.correction_id, again.cost_state], [0, null, 'reported']);
    const other = one(bench, 0, { resolution: { kind: 'cost', cost: picoUsd(5n) } });
    await assert.rejects(resolve(other), refusal('conflict', 'id'));
    await assert.rejects(resolve(one(bench, 0, { id: 'call_0' })), refusal('not_found', 'id'));
    assert.equal(bench.ledger.durable(), 2);
  });

  it('is priced as of its time by the usage of the provider, and anew by later prices', async (t) => {
    const bench = await open(t, [lost('2025-01-01T10:00:00Z')]);
    const { resolve } = createResolutions(bench.deps);
    const resolution = { kind: 'usage' as const, usage: RAW };
    await assert.rejects(
      resolve(one(bench, 0, { resolution: { kind: 'usage', usage: { tokens: 'many' } } })),
      refusal('invalid_field', 'usage'),
    );
    const done = await resolve(one(bench, 0, { resolution }));
    assert.deepEqual(
      [done.cost_state, done.cost_usd_exact, done.list_cost_usd_exact, done.meters],
      ['exact', '0.00006', '0.00006', { input: 10, output_text: 5 }],
    );
    assert.equal((await resolve(one(bench, 0, { resolution }))).applied, 0);
    const { summary } = await bench.report();
    assert.deepEqual([summary.total_input_tokens, summary.total_output_tokens], [10, 5]);
    assert.equal((await repriceAll(bench.deps, DEARER)).delta_exact, '0.00002');
    assert.equal((await repriceAll(bench.deps, DEARER)).applied, 0);
    const event = await eventDetail({ store: bench.ledger.store }, done.call_id);
    assert.deepEqual(
      [event.usage_raw, event.usage_origin, event.input_tokens, event.charges.length, event.cost_usd_exact],
      [RAW, 'reported', 10, 2, '0.00008'],
    );
  });

  it('is not priced where there is no price, and says so', async (t) => {
    const bench = await open(t, [lost('2025-01-01T10:00:00Z', { model: 'unknown' })]);
    const request = one(bench, 0, { resolution: { kind: 'usage', usage: RAW } });
    await assert.rejects(createResolutions(bench.deps).resolve(request), refusal('conflict', 'usage'));
  });

  it('is resolved once whatever step the process dies at', async (t) => {
    const bench = await open(t, [lost('2025-01-01T10:00:00Z')]);
    const died = new ApportionError('journal_unavailable', 'The process died.');
    const dying = createResolutions({
      ...bench.deps,
      append: async (entries) => {
        await bench.ledger.append(entries);
        throw died;
      },
    });
    await assert.rejects(dying.resolve(one(bench, 0)), died);
    assert.equal((await createResolutions(bench.deps).resolve(one(bench, 0))).applied, 0);
    assert.equal(bench.ledger.durable(), 2);
    assert.deepEqual(
      bench.audit.map(({ action }) => action),
      ['resolve.begin', 'resolve.fail'],
    );
  });
});

describe('C12: a cost without a price, and an estimate', () => {
  it('are ended by what is stated, which no repricing takes back', async (t) => {
    const estimated: Usage = { ...USAGE, origin: 'estimated', raw: '' };
    const bench = await open(t, [
      { at: '2025-01-01T10:00:00Z', model: 'new', usage: USAGE, prices: PRICES },
      { at: '2025-01-02T10:00:00Z', model: 'known', usage: estimated, prices: PRICES },
      { at: '2025-01-03T10:00:00Z', model: 'known', usage: USAGE, prices: PRICES },
    ]);
    const { resolve } = createResolutions(bench.deps);
    const states = [(await resolve(one(bench, 0))).old_state, (await resolve(one(bench, 1))).old_state];
    assert.deepEqual(states, ['unpriced', 'estimated']);
    await assert.rejects(resolve(one(bench, 2)), refusal('conflict', 'id'));
    const { summary } = await bench.report();
    assert.deepEqual(
      [summary.total_cost_exact, summary.unpriced_events, summary.estimated_events, summary.reported_cost_exact],
      ['0.000068', 0, 0, '0.000008'],
    );
    const all = makePrices(makePriceBook([rowOf('known'), rowOf('new')]));
    const { kept, applied } = await repriceAll(bench.deps, all);
    assert.deepEqual([kept, applied], [2, 0]);
  });
});

describe('C11: many calls in doubt', () => {
  const answered = (model: string): Call => ({
    at: new Date().toISOString(),
    model,
    usage: { ...USAGE },
    prices: PRICES,
  });
  const CALLS = [
    lost('2025-01-01T10:00:00Z'),
    lost('2025-01-02T10:00:00Z', { provider: 'q' }),
    lost('2025-01-03T10:00:00Z', { model: 'other' }),
    lost(new Date(Date.now() - 60_000).toISOString()),
  ];

  it('are listed with what is at risk, their age and provider, oldest first', async (t) => {
    const bench = await open(t, CALLS);
    const { inDoubt, resolve } = createResolutions(bench.deps);
    const ask = { olderThanHours: 0, provider: null, model: null, limit: 3, cursor: null };
    const first = await inDoubt(ask);
    assert.deepEqual(
      first.data.map(({ entry_id, provider, at_risk_exact, reason }) => [entry_id, provider, at_risk_exact, reason]),
      [0, 1, 2].map((at) => [bench.calls[at], at === 1 ? 'q' : 'p', '0.000005', 'gateway_crashed']),
    );
    assert.ok((first.data[0]?.age_seconds ?? 0) > 86_400);
    assert.deepEqual(first.summary, {
      calls: 4,
      at_risk_exact: '0.00002',
      without_bound: 0,
      by_provider: [
        { provider: 'p', calls: 3, at_risk_exact: '0.000015', without_bound: 0 },
        { provider: 'q', calls: 1, at_risk_exact: '0.000005', without_bound: 0 },
      ],
    });
    const second = await inDoubt({ ...ask, cursor: first.next_cursor });
    assert.deepEqual([second.data.length, second.has_more, second.next_cursor], [1, false, null]);
    const few = await inDoubt({ ...ask, olderThanHours: 1, provider: 'p', model: 'known' });
    assert.deepEqual(
      few.data.map(({ entry_id }) => entry_id),
      [bench.calls[0]],
    );
    await resolve(one(bench, 0));
    assert.equal((await inDoubt(ask)).summary.calls, 3);
  });

  it('get what was reserved for them: a preview records nothing, a second time there is nothing to do', async (t) => {
    const bench = await open(t, CALLS, MARKED_UP);
    const { previewMany, applyMany } = createResolutions(bench.deps);
    const preview = await previewMany(many({ olderThanHours: 1, provider: 'p' }));
    assert.deepEqual([preview.resolved, preview.applied, bench.ledger.durable()], [2, 0, CALLS.length]);
    const applied = await applyMany(many({ olderThanHours: 1, provider: 'p' }));
    assert.deepEqual(applied, {
      object: 'resolutions',
      id: 'resolve_2',
      mode: 'apply',
      policy: 'at_risk',
      examined: 2,
      resolved: 2,
      without_bound: 0,
      without_estimate: 0,
      at_risk_exact: '0.00001',
      cost_usd_exact: '0.00001',
      billed_usd_exact: '0.000015',
      by_provider: [{ provider: 'p', calls: 2, at_risk_exact: '0.00001', cost_usd_exact: '0.00001' }],
      applied: 2,
    });
    const { summary } = await bench.report({ end_date: '2025-01-05' });
    assert.deepEqual(
      [summary.total_cost_exact, summary.estimated_events, summary.estimated_cost_exact, summary.in_doubt_events],
      ['0.00001', 2, '0.00001', 1],
    );
    assert.equal((await applyMany(many({ olderThanHours: 1, provider: 'p' }))).applied, 0);
    const last = bench.audit.at(1);
    assert.deepEqual(
      [last?.action, last?.actor, last?.detail['reason']],
      ['in_doubt.apply', 'admin_key', 'closing the month'],
    );
  });

  it('that a policy estimated may still be ended by the bill', async (t) => {
    const bench = await open(t, CALLS.slice(0, 1));
    const { applyMany, resolve } = createResolutions(bench.deps);
    await applyMany(many());
    const event = await eventDetail({ store: bench.ledger.store }, bench.calls[0] ?? '');
    assert.deepEqual(
      event.charges.map(({ amount_usd_exact, price_row }) => [amount_usd_exact, price_row]),
      [['0.000005', 'policy:at_risk']],
    );
    const done = await resolve(one(bench, 0));
    assert.deepEqual([done.old_state, done.old_cost_exact, done.cost_usd_exact], ['estimated', '0.000005', '0.000004']);
    assert.deepEqual(amountsOf(await bench.report()).cost, '0.000004');
    assert.equal((await bench.report()).summary.estimated_cost_exact, '0');
  });

  it('are declared not billed: a known zero', async (t) => {
    const bench = await open(t, CALLS.slice(0, 3));
    const { cost_usd_exact, resolved } = await createResolutions(bench.deps).applyMany(many({ policy: 'zero' }));
    assert.deepEqual([resolved, cost_usd_exact], [3, '0']);
    const { data } = await bench.report({ group_by: 'cost_state' });
    assert.deepEqual(
      data.map(({ value, total_events, total_cost_exact }) => [value, total_events, total_cost_exact]),
      [['reported', 3, '0']],
    );
  });

  it('are estimated by what calls of their model came to, of what was reserved for them', async (t) => {
    const cheap = makePrices(
      makePriceBook([
        {
          ...rowOf('known'),
          rates: { input: { amount: '0.02', per: 1_000_000 }, output_text: { amount: '0.1', per: 1_000_000 } },
        },
      ]),
    );
    const bench = await open(t, [
      ...CALLS.slice(0, 3),
      { ...answered('known'), prices: cheap },
      { ...answered('known'), prices: cheap },
    ]);
    const done = await createResolutions(bench.deps).applyMany(many({ policy: 'estimate' }));
    // The answered ones came to 0.0000007 of the 0.000005 that was reserved for each.
    assert.deepEqual(
      [done.examined, done.resolved, done.without_estimate, done.cost_usd_exact],
      [3, 1, 2, '0.0000007'],
    );
    assert.equal((await createResolutions(bench.deps).inDoubt({ ...many(), limit: 5, cursor: null })).summary.calls, 2);
  });

  it('are taken up again where a job died, and none is resolved twice', async (t) => {
    const bench = await open(t, CALLS);
    const dying = createResolutions({
      ...bench.deps,
      append: async (entries) => {
        await bench.ledger.append(entries.slice(0, 1));
        throw new ApportionError('journal_unavailable', 'The process died.');
      },
    });
    await assert.rejects(dying.applyMany(many()), /The process died/);
    const rest = await createResolutions(bench.deps).applyMany(many());
    assert.deepEqual([rest.examined, rest.applied], [3, 3]);
    assert.equal(bench.ledger.durable(), 2 * CALLS.length);
    assert.deepEqual(
      bench.audit.map(({ action }) => action),
      ['in_doubt.begin', 'in_doubt.fail', 'in_doubt.begin', 'in_doubt.apply'],
    );
  });
});
