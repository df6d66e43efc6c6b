import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { picoUsd } from '#terms';
import { after, budget, call, HOUR } from './budget.fixture.ts';
import { budgetSeriesKey, type Budget } from './budget.ts';
import {
  BudgetBook,
  findBudgetFault,
  type Condition,
  type Correction,
  type Reserve,
  type ScopedCall,
  type Values,
} from './index.ts';
import { NaiveBook } from './naive-book.fixture.ts';

const RUNS = 300;

const anyValue = fc.constantFrom('a', 'b', 'a/x');

const anyValues: fc.Arbitrary<Values> = fc.oneof(
  anyValue.map((value) => ({ kind: 'is' as const, value })),
  fc.constantFrom({ kind: 'each' as const }, { kind: 'unlisted' as const }, { kind: 'none' as const }),
);

const anyCondition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ on: fc.constantFrom('key' as const, 'team' as const, 'owner' as const), values: anyValues }),
  fc.record({ on: fc.constant('dimension' as const), key: fc.constantFrom('customer', 'env'), values: anyValues }),
  fc.record({ on: fc.constant('entity' as const), type: fc.constant('customer'), values: anyValues }),
  fc.record({ on: fc.constant('label' as const), label: anyValue }),
);

const anyBudget: fc.Arbitrary<Budget> = fc
  .record({
    scope: fc.uniqueArray(anyCondition, { maxLength: 2, selector: (one) => `${one.on}${'key' in one ? one.key : ''}` }),
    counts: fc.constantFrom('declared' as const, 'proven' as const, 'locked' as const),
    limit: fc.bigInt(0n, 300n).map(picoUsd),
    window: fc.constantFrom<Budget['window']>(
      { kind: 'hour', zone: 'Asia/Kathmandu' },
      { kind: 'rolling', lengthMs: HOUR },
      { kind: 'total' },
    ),
    mode: fc.constantFrom('strict' as const, 'standard' as const, 'observe' as const),
    raise: fc.option(fc.record({ by: fc.bigInt(0n, 50n).map(picoUsd), until: fc.nat(600).map(minutes) })),
    effectiveFrom: fc.option(fc.nat(300).map(minutes)),
    effectiveTo: fc.option(fc.nat(900).map(minutes)),
  })
  .map(budget)
  .filter((one) => findBudgetFault(one) === null);

function minutes(count: number): Reserve['at'] {
  return after(count * 60_000);
}

const anyTag = fc.record({
  value: fc.constantFrom('a', 'b', 'c', 'a/x', 'ab'),
  provenance: fc.constantFrom('locked' as const, 'declared' as const, 'default' as const),
});

const anyCall: fc.Arbitrary<ScopedCall> = fc
  .record({
    key: anyValue,
    team: anyValue,
    owner: fc.constantFrom('', 'a'),
    customer: fc.option(anyTag),
    env: fc.option(anyTag),
    labels: fc.subarray(['a', 'b']),
    paths: fc.subarray(['a/x', 'b/y/z']),
  })
  .map(({ key, team, owner, customer, env, labels, paths }) => {
    const dimensions = Object.entries({ customer, env }).flatMap(([name, tag]) =>
      tag === null ? [] : [[name, tag] as const],
    );
    return { ...call({ key, team, owner }), tags: { dimensions: new Map(dimensions), labels, paths } };
  });

const anyAmount = fc.bigInt(0n, 60n).map(picoUsd);

type Step =
  | {
      readonly do: 'reserve';
      readonly call: ScopedCall;
      readonly bound: Reserve['bound'];
      readonly expected: Reserve['expected'];
    }
  | { readonly do: 'settle' | 'release' | 'doubt'; readonly pick: number; readonly cost: Reserve['bound'] & bigint }
  | {
      readonly do: 'correct';
      readonly call: ScopedCall;
      readonly delta: Correction['delta'];
      readonly agoMinutes: number;
    }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'edit'; readonly keep: number; readonly budgets: readonly Budget[] }
  | { readonly do: 'expire' | 'restart' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      call: anyCall,
      bound: fc.option(anyAmount, { freq: 8 }),
      expected: fc.option(anyAmount, { freq: 8 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('settle' as const, 'release' as const, 'doubt' as const),
      pick: fc.nat(20),
      cost: anyAmount,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('correct' as const),
      call: anyCall,
      delta: fc.bigInt(-40n, 40n).map(picoUsd),
      agoMinutes: fc.nat(200),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.nat(50) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      keep: fc.nat(6),
      budgets: fc.array(anyBudget, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'restart' as const) }) },
);

/** The real book and the naive one, led through the same steps. */
class Pair {
  readonly naive = new NaiveBook();
  #real = new BudgetBook();
  #now = after(0);
  #ids: string[] = [];
  #made = 0;

  take(step: Step): void {
    switch (step.do) {
      case 'reserve':
        return this.#reserve(step);
      case 'settle':
      case 'release':
      case 'doubt':
        return this.#end(step.do, this.#ids[step.pick % Math.max(1, this.#ids.length)] ?? '', step.cost);
      case 'correct': {
        const effectiveAt = after(-step.agoMinutes * 60_000, this.#now);
        const correction = { call: step.call, delta: step.delta, effectiveAt, now: this.#now };
        this.#real.correct(correction);
        return this.naive.correct(correction);
      }
      case 'wait':
        this.#now = after(step.minutes * 60_000, this.#now);
        return;
      case 'edit':
        return this.#edit([...this.naive.budgets.slice(0, step.keep), ...step.budgets]);
      case 'expire':
        this.#real.expire(this.#now);
        return;
      case 'restart': {
        const rows = this.#real.rows();
        this.#real = new BudgetBook();
        assert.deepEqual(this.#real.restore(JSON.parse(JSON.stringify(rows)), this.naive.budgets), []);
      }
    }
  }

  #reserve({ call: one, bound, expected }: Extract<Step, { do: 'reserve' }>): void {
    this.#made += 1;
    const wanted = { id: `c${this.#made}`, call: one, bound, expected, at: this.#now };
    const admission = this.#real.reserve(wanted);
    assert.equal(admission.kind, this.naive.reserve(wanted));
    if (admission.kind === 'admitted') this.#ids.push(wanted.id);
    if (admission.kind !== 'refused' || admission.clamp === null) return this.#compare(wanted);
    // What the clamp says must fit, and a pico-dollar more must not.
    if (bound === null || expected === null) return;
    const clamped = (more: bigint): Reserve => {
      const amount = picoUsd((admission.clamp ?? 0n) + more);
      return { ...wanted, bound: amount, expected: amount };
    };
    assert.equal(this.#real.reserve(clamped(1n)).kind, 'refused');
    assert.equal(this.#real.reserve(clamped(0n)).kind, 'admitted');
    this.#real.release(wanted.id);
  }

  #end(how: 'settle' | 'release' | 'doubt', id: string, cost: Reserve['bound'] & bigint): void {
    if (how === 'doubt') {
      this.#real.markInDoubt(id);
      return this.naive.markInDoubt(id);
    }
    if (how === 'release') this.#real.release(id);
    else this.#real.settle(id, cost);
    this.naive.settle(id, how === 'release' ? 0n : cost);
    this.#ids = this.#ids.filter((other) => other !== id);
  }

  #edit(given: readonly Budget[]): void {
    const budgets = given.map((one, at) => ({ ...one, id: `b${at}` }));
    const added = this.#real.replace(budgets);
    this.naive.budgets = budgets;
    for (const spec of added) {
      const like = budgets.find((one) => budgetSeriesKey(one) === spec.key);
      assert.ok(like !== undefined);
      const rows = [...this.naive.spentBy(like).values()].map(({ instance, start, spent }) => ({
        series: spec.key,
        instance,
        start,
        spent: spent.toString(),
        overrun: '0',
        unpriced: 0,
      }));
      this.#real.adopt(rows);
    }
  }

  /** For the budgets of a call, spent and held are the same in both books. */
  #compare(wanted: Reserve): void {
    const real = this.#real.standing(wanted.at).map(({ budgetId, instance, spent, reserved, atRisk }) => {
      assert.ok(reserved >= 0n && atRisk >= 0n);
      return `${budgetId} ${JSON.stringify(instance)} ${spent} ${reserved + atRisk}`;
    });
    for (const line of this.naive.totals(wanted)) {
      if (!line.endsWith(' 0 0')) assert.ok(real.includes(line), `${line} is not in ${real.join('; ')}`);
    }
  }
}

test('B70 whatever happens in whatever order, the book decides and counts as adding everything up does', () => {
  fc.assert(
    fc.property(
      fc.array(anyBudget, { minLength: 1, maxLength: 6 }),
      fc.array(anyStep, { maxLength: 80 }),
      (budgets, steps) => {
        const pair = new Pair();
        pair.take({ do: 'edit', keep: 0, budgets });
        for (const step of steps) pair.take(step);
      },
    ),
    { numRuns: RUNS },
  );
});

test('B71 what counts towards a strict budget exceeds its limit by recorded overrun only', () => {
  const anyStrict = anyBudget.map((one) => ({ ...one, mode: 'strict' as const, raise: null }));
  const budgets = fc.array(anyStrict, { minLength: 1, maxLength: 4 });
  const within = anyStep.filter((step) => step.do !== 'edit' && step.do !== 'restart');
  fc.assert(
    fc.property(budgets, fc.array(within, { maxLength: 80 }), (given, steps) => {
      const book = new BudgetBook();
      book.replace(given.map((one, at) => ({ ...one, id: `b${at}` })));
      let now = after(0);
      let made = 0;
      for (const step of steps) {
        if (step.do === 'wait') now = after(step.minutes * 60_000, now);
        if (step.do === 'reserve') {
          const { call: one, bound, expected } = step;
          book.reserve({ id: `c${(made += 1)}`, call: one, bound, expected, at: now });
        }
        if (step.do === 'settle') book.settle(`c${step.pick}`, step.cost);
        if (step.do === 'doubt') book.markInDoubt(`c${step.pick}`);
        if (step.do === 'correct') book.correct({ ...step, effectiveAt: now, now });
        for (const { spent, reserved, atRisk, overrun, limit, budgetId } of book.standing(now)) {
          const dated = given[Number(budgetId.slice(1))];
          if (dated?.effectiveFrom !== null || dated.effectiveTo !== null) continue;
          const used = (spent < 0n ? 0n : spent) + reserved + atRisk;
          // An unlisted budget counts for values that have their own, and does not hold them.
          if (dated.scope.some((one) => one.on !== 'label' && one.values.kind === 'unlisted')) continue;
          assert.ok(used <= limit + overrun, `${used} of ${limit}, overrun ${overrun}`);
        }
      }
    }),
    { numRuns: RUNS },
  );
});
