import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { eventDetail, events, parseEventsQuery } from '#analytics';
import { ADJUSTED_AMOUNTS, type AdjustedAmount } from '#ledger';
import { makePriceBook, makePrices } from '#pricing';
import { DEFAULT_TAG_RULES } from '#tags';
import { ApportionError, COST_STATES, formatUsd, picoUsd, type Usage } from '#terms';
import type { AdjustmentAbout, AdjustmentRequest, Adjustments } from './adjustment-request.ts';
import { createAdjustments } from './adjustments.ts';
import { amountsOf, instant, openBench, PRICES, rowOf, type JobBench } from './job-bench.fixture.ts';
import type { JobDeps } from './job-deps.ts';
import { createRepricing } from './repricing.ts';

const USAGE: Usage = { meters: { input: 10, output_text: 5 }, origin: 'reported', raw: '{}' };

const AT = '2025-01-02T10:00:00Z';

const CALLS = [
  { at: '2025-01-01T10:00:00Z', model: 'known', usage: USAGE, prices: PRICES, tags: { team: 'core', env: 'prod' } },
  { at: '2025-01-03T11:00:00Z', model: 'known', usage: USAGE, prices: PRICES },
  { at: '2025-01-03T14:00:00Z', model: 'known', usage: null, prices: PRICES, lost: true },
];

const KEY = { id: 'key_2', name: 'backend', team: 'growth', owner: 'ann' };

function openAdjustments({ deps }: JobBench, more: Partial<JobDeps> = {}): Adjustments {
  const key = async (reference: string) => {
    if (reference === KEY.id || reference === KEY.name) return KEY;
    throw new ApportionError('not_found', 'No such key.');
  };
  return createAdjustments({ ...deps, ...more, key, tagRules: DEFAULT_TAG_RULES });
}

type Free = AdjustmentAbout & { readonly kind: 'dimensions' };

const free = (more: Partial<Free> = {}): Free => ({
  kind: 'dimensions',
  entity: null,
  tags: undefined,
  labels: [],
  provider: '',
  model: '',
  key: '',
  team: null,
  effectiveAt: instant(AT),
  ...more,
});

function asked(key: string, more: Partial<AdjustmentRequest> = {}): AdjustmentRequest {
  return {
    amount: picoUsd(-1_000_000_000_000n),
    moves: ['cost', 'billed'],
    reason: 'a credit of the provider',
    idempotencyKey: key,
    about: free(),
    actor: 'admin_key',
    ...more,
  };
}

const refusal = (code: string, param: string) => (error: unknown) =>
  error instanceof ApportionError && error.code === code && error.param === param && error.hint !== null;

describe('C7, C8: an adjustment of a call', () => {
  let bench: JobBench;
  const callId = (): string => bench.calls[0]?.split('.')[0] ?? '';

  before(async () => {
    bench = await openBench(CALLS);
  });
  after(() => bench.ledger.close());

  it('stands under every dimension of the call, and is in what the call costs by now', async () => {
    const adjustments = openAdjustments(bench);
    const about = { kind: 'call' as const, id: callId() };
    const done = await adjustments.add(asked('credit-1', { about, amount: picoUsd(-20_000_000n) }));
    assert.deepEqual(
      [done.id, done.entry_id, done.amount_usd, done.effective_at, done.tags, done.provider, done.key_id],
      [
        `${callId()}.1.adjustment.1`,
        bench.calls[0],
        '-0.00002',
        '2025-01-01T10:00:00.000Z',
        { team: 'core', env: 'prod' },
        'p',
        'key_1',
      ],
    );
    assert.deepEqual(amountsOf(await bench.report()), {
      cost: '0.0001',
      list: '0.00012',
      billed: '0.0001',
      risk: '0.000005',
    });
    for (const query of [{ tags: 'env:prod' }, { tags: 'team:core' }, { end_date: '2025-01-01' }])
      assert.equal(amountsOf(await bench.report(query)).cost, '0.00004', JSON.stringify(query));
    const event = await eventDetail({ store: bench.ledger.store }, callId());
    assert.deepEqual(
      [event.cost_usd_exact, event.list_cost_usd_exact, event.call_cost_usd_exact, event.cost_state, event.corrections],
      ['0.00004', '0.00006', '0.00004', 'exact', []],
    );
    assert.deepEqual(
      event.adjustments.map(({ id, reason, actor, cost_usd_exact }) => [id, reason, actor, cost_usd_exact]),
      [[done.id, 'a credit of the provider', 'admin_key', '-0.00002']],
    );
    const listed = await events({ store: bench.ledger.store }, parseEventsQuery({}, instant('2025-01-06T00:00:00Z')));
    assert.equal(listed.pagination.total, 3);
    assert.equal(listed.data.at(-1)?.cost_usd_exact, '0.00004');
  });

  it('is a row of its own by kind, and no call, no attempt and no token', async () => {
    const { data, summary } = await bench.report({ group_by: 'kind' });
    assert.deepEqual(
      data.map(({ value, total_cost_exact, total_events }) => [value, total_cost_exact, total_events]),
      [
        ['attempt', '0.00012', 3],
        ['adjustment', '-0.00002', 0],
      ],
    );
    assert.deepEqual([summary.total_attempts, summary.total_input_tokens, summary.in_doubt_events], [3, 20, 1]);
  });

  it('is not taken back by a repricing, which does not see it', async () => {
    const dearer = makePrices(
      makePriceBook([
        {
          ...rowOf('known'),
          id: 'p/known@2',
          rates: { input: { amount: '4', per: 1_000_000 }, output_text: { amount: '8', per: 1_000_000 } },
        },
      ]),
    );
    const job = createRepricing({ ...bench.deps, prices: () => dearer });
    const request = {
      from: instant('2025-01-01T00:00:00Z'),
      to: instant('2025-01-02T00:00:00Z'),
      provider: null,
      model: null,
      states: COST_STATES,
      reason: 'dearer',
      actor: 'admin_key',
    };
    assert.equal((await job.apply(request)).delta_exact, '0.00002');
    assert.equal((await job.apply(request)).applied, 0);
    assert.equal(amountsOf(await bench.report({ end_date: '2025-01-01' })).cost, '0.00006');
    const event = await eventDetail({ store: bench.ledger.store }, callId());
    assert.deepEqual([event.cost_usd_exact, event.corrections.length, event.adjustments.length], ['0.00006', 1, 1]);
  });

  it('is refused where what the call cost is not known, and where there is no such call', async () => {
    const adjustments = openAdjustments(bench);
    const about = (id: string) => ({ about: { kind: 'call' as const, id } });
    const inDoubt = bench.calls[2] ?? '';
    await assert.rejects(adjustments.add(asked('a', about(inDoubt))), refusal('conflict', 'call_id'));
    await assert.rejects(adjustments.add(asked('a', about('call_0'))), refusal('not_found', 'call_id'));
    await assert.rejects(
      adjustments.add(asked('a', about(`${callId()}.7.attempt.0`))),
      refusal('not_found', 'entry_id'),
    );
  });

  it('may follow another one of the same call', async () => {
    const about = { kind: 'call' as const, id: bench.calls[0] ?? '' };
    const second = await openAdjustments(bench).add(
      asked('credit-2', { about, amount: picoUsd(1n), moves: ['billed'] }),
    );
    assert.equal(second.id, `${callId()}.1.adjustment.2`);
    assert.deepEqual([second.fields, second.amount_usd], [['billed'], '0.000000000001']);
    const listed = await openAdjustments(bench).list({ limit: 10, cursor: null, callId: callId() });
    assert.deepEqual(
      listed.data.map(({ idempotency_key: key }) => key),
      ['credit-2', 'credit-1'],
    );
  });
});

describe('C8: an adjustment of its own dimensions', () => {
  let bench: JobBench;

  before(async () => {
    bench = await openBench(CALLS);
  });
  after(() => bench.ledger.close());

  it('is where its entity, tags, labels, key, team, provider, model and time say', async () => {
    const done = await openAdjustments(bench).add(
      asked('invoice-7', {
        about: free({
          entity: { type: 'customer', id: 'acme' },
          tags: { feature: 'chat' },
          labels: ['beta', 'US/Texas'],
          provider: 'p',
          model: 'known',
          key: 'backend',
        }),
      }),
    );
    assert.deepEqual(
      [done.entry_id, done.call_id, done.tags, done.labels, done.paths, done.key_id, done.key_name, done.key_team],
      [
        null,
        null,
        { customer: 'acme', feature: 'chat', team: 'growth' },
        ['beta'],
        ['US/Texas'],
        'key_2',
        'backend',
        'growth',
      ],
    );
    const groups: readonly (readonly [string, string])[] = [
      ['entity', 'customer/acme'],
      ['tags.feature', 'chat'],
      ['tags.team', 'growth'],
      ['key', 'backend'],
      ['key.team', 'growth'],
      ['label', 'beta'],
      ['path', 'US'],
      ['day', '2025-01-02'],
      ['cost_state', 'exact'],
      ['status', '(untagged)'],
    ];
    for (const [groupBy, value] of groups) {
      const { data } = await bench.report({ group_by: groupBy, tags: 'feature:chat' });
      const row = data.find((one) => one.value === value);
      assert.deepEqual(
        [row?.total_cost_exact, row?.total_list_cost_exact, row?.total_billed_exact],
        ['-1', '0', '-1'],
        groupBy,
      );
    }
    const models = await bench.report({ group_by: 'model' });
    assert.deepEqual(
      models.data.map(({ value, total_cost_exact }) => [value, total_cost_exact]),
      [['known', '-0.99988']],
    );
  });

  it('is refused for a key nobody knows, for a time that no report looks at, and for tags that are none', async () => {
    const adjustments = openAdjustments(bench);
    const about = (more: Partial<Free>) => asked('x', { about: free(more) });
    await assert.rejects(adjustments.add(about({ key: 'nobody' })), refusal('not_found', 'key_id'));
    const ahead = bench.deps.clock.now() + 1_000_000;
    for (const at of [ahead, Date.parse('1969-12-31'), Date.parse('0026-01-01')]) {
      await assert.rejects(
        adjustments.add(about({ effectiveAt: at as Free['effectiveAt'] })),
        refusal('invalid_field', 'effective_at'),
      );
    }
    await assert.rejects(
      adjustments.add(about({ entity: { type: 'planet', id: 'x' } })),
      refusal('invalid_entity', 'entity_type'),
    );
    await assert.rejects(
      adjustments.add(about({ labels: ['x'.repeat(300)] })),
      refusal('tag_limit_exceeded', 'labels[0]'),
    );
    assert.equal((await adjustments.list({ limit: 10, cursor: null, callId: null })).data.length, 1);
  });
});

describe('C9: an idempotency key', () => {
  it('books once: asked again, the same adjustment answers, and another one under it is refused', async (t) => {
    const bench = await openBench(CALLS);
    t.after(() => bench.ledger.close());
    const adjustments = openAdjustments(bench);
    const request = asked('once', { about: free({ tags: ['b:2', 'a:1'], effectiveAt: null }) });
    const first = await adjustments.add(request);
    const again = await Promise.all([adjustments.add(request), adjustments.add({ ...request, actor: 'dashboard' })]);
    assert.deepEqual(again, [first, first]);
    const others: readonly (readonly [Partial<AdjustmentRequest>, string])[] = [
      [{ amount: picoUsd(5n) }, 'amount_usd'],
      [{ moves: ['cost'] }, 'amount_usd'],
      [{ reason: 'another' }, 'reason'],
      [{ about: free({ tags: ['a:1', 'b:2'] }) }, 'effective_at'],
      [{ about: free({ tags: ['a:1'], effectiveAt: null }) }, 'tags'],
      [{ about: { kind: 'call', id: bench.calls[0] ?? '' } }, 'entry_id'],
    ];
    for (const [other, field] of others) {
      await assert.rejects(adjustments.add({ ...request, ...other }), (error: unknown) => {
        assert.ok(error instanceof ApportionError && error.code === 'conflict', String(error));
        assert.equal(error.message, `Another adjustment is booked under "once": its ${field} differs.`);
        return true;
      });
    }
    assert.equal(bench.ledger.durable(), CALLS.length + 1);
    assert.deepEqual(
      bench.audit.map(({ action, target, actor, detail }) => [action, target, actor, detail['reason']]),
      [
        ['adjustment.begin', first.id, 'admin_key', 'a credit of the provider'],
        ['adjustment.apply', first.id, 'admin_key', 'a credit of the provider'],
      ],
    );
  });

  it('books once whatever step the process dies at', async (t) => {
    const bench = await openBench(CALLS);
    t.after(() => bench.ledger.close());
    const died = new ApportionError('journal_unavailable', 'The process died.');
    const dying = openAdjustments(bench, { append: () => Promise.reject(died) });
    await assert.rejects(dying.add(asked('credit')), died);
    const between = openAdjustments(bench, {
      append: async (entries) => {
        await bench.ledger.append(entries);
        throw died;
      },
    });
    await assert.rejects(between.add(asked('credit')), died);
    assert.equal(bench.ledger.durable(), CALLS.length + 1);
    const again = await openAdjustments(bench).add(asked('credit'));
    assert.equal(bench.ledger.durable(), CALLS.length + 1);
    assert.equal(amountsOf(await bench.report({ group_by: 'kind' })).cost, '-0.99988');
    assert.deepEqual(
      bench.audit.map(({ action }) => action),
      ['adjustment.begin', 'adjustment.fail', 'adjustment.begin', 'adjustment.fail'],
    );
    assert.equal(again.idempotency_key, 'credit');
  });
});

describe('whatever is adjusted', () => {
  it('the parts of every breakdown add up, each amount moves by what was asked for, and the list has each once', async (t) => {
    const bench = await openBench(CALLS);
    t.after(() => bench.ledger.close());
    const adjustments = openAdjustments(bench);
    const amount = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).filter((value) => value !== 0n);
    const about: fc.Arbitrary<AdjustmentAbout> = fc.oneof(
      fc.constantFrom(...bench.calls.slice(0, 2)).map((id) => ({ kind: 'call' as const, id })),
      fc
        .record({
          tags: fc.constantFrom({ team: 'core' }, { env: 'prod' }, ['beta'], undefined),
          provider: fc.constantFrom('', 'p', 'q'),
          key: fc.constantFrom('', 'backend'),
          team: fc.constantFrom(null, 'core'),
        })
        .map((more) => free(more)),
    );
    const moves = fc.subarray([...ADJUSTED_AMOUNTS], { minLength: 1 });
    const all = fc.sample(fc.record({ amount, about, moves }), { numRuns: 20, seed: 7 });
    for (const [at, one] of all.entries()) {
      await adjustments.add(asked(`key-${at}`, { ...one, amount: picoUsd(one.amount) }));
    }
    const sum = (name: AdjustedAmount): string =>
      formatUsd(
        picoUsd(all.reduce((total, one) => (one.moves.includes(name) ? total + one.amount : total), 120_000_000n)),
      );
    for (const groupBy of [
      'kind',
      'provider',
      'model',
      'key',
      'key.team',
      'tags.team',
      'tags.env',
      'entity',
      'status',
      'cost_state',
      'day',
      'cause',
      'operation',
    ]) {
      assert.deepEqual(
        amountsOf(await bench.report({ group_by: groupBy })),
        { cost: sum('cost'), list: sum('list_cost'), billed: sum('billed'), risk: '0.000005' },
        groupBy,
      );
    }
    const seen: string[] = [];
    for (let cursor: string | null = null, more = true; more;) {
      const page = await adjustments.list({ limit: 7, cursor, callId: null });
      seen.push(...page.data.map(({ idempotency_key: key }) => key));
      ({ next_cursor: cursor, has_more: more } = page);
    }
    assert.equal(seen.length, all.length);
    assert.equal(new Set(seen).size, all.length);
  });
});
