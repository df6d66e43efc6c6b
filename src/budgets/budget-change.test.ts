import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitted, bookOf, EACH_CUSTOMER, refused, standing } from './budget-book.fixture.ts';
import { after, budget, call, HOUR, NOON, usd, wanted } from './budget.fixture.ts';
import { BudgetBook, type Reserve } from './index.ts';

test('B50 editing a budget keeps what was spent (D16)', () => {
  const book = bookOf(budget());
  book.settle(admitted(book), usd(1));
  admitted(book);
  assert.deepEqual(book.replace([budget({ id: 'b2', limit: usd(2.5), mode: 'standard', name: 'Less' })]), []);
  assert.deepEqual(standing(book), [[1, 0.5, 0, 0]]);
  assert.equal(refused(book, { expected: usd(1.1) }).budgetName, 'Less');
});

test('B51 a new budget holds running calls and takes up what the ledger says was spent in its window (D13)', () => {
  const book = bookOf();
  const running = admitted(book);
  const [spec] = book.replace([budget({ limit: usd(5) })]);
  book.adopt([
    {
      series: spec?.key ?? '',
      instance: [],
      start: Date.parse('2026-11-21T00:00:00Z'),
      spent: usd(3.5).toString(),
      overrun: '0',
      unpriced: 0,
    },
  ]);
  assert.deepEqual(standing(book), [[3.5, 1, 0, 0]]);
  refused(book);
  book.settle(running, usd(0.5));
  admitted(book);
});

test('B51 running calls are held in what is new, once, and not again in what was counted', () => {
  const book = bookOf(budget());
  admitted(book);
  const team = budget({ id: 'team', scope: [{ on: 'team', values: { kind: 'is', value: 'growth' } }] });
  book.replace([budget(), team]);
  book.replace([team]);
  book.replace([budget(), team]);
  const restored = new BudgetBook();
  restored.restore(book.rows(), [budget(), team]);
  for (const one of [book, restored]) {
    assert.deepEqual(standing(one), [
      [0, 1, 0, 0],
      [0, 1, 0, 0],
    ]);
  }
});

test('B51 a budget taken away frees its calls, and counts for nothing', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  const id = admitted(book);
  book.replace([]);
  admitted(book);
  assert.deepEqual(book.settle(id, usd(1)), { crossings: [] });
});

test('B52 a raise holds until it expires', () => {
  const book = bookOf(budget({ limit: usd(1), raise: { by: usd(1), until: after(HOUR) } }));
  admitted(book);
  admitted(book);
  assert.equal(refused(book).limit, usd(2));
  assert.equal(refused(book, { at: after(HOUR), bound: usd(0.1) }).limit, usd(1));
});

test('B53 a default budget counts while a value has its own, and holds when that is taken away', () => {
  const rest = budget({
    id: 'rest',
    scope: [{ on: 'entity', type: 'customer', values: { kind: 'unlisted' } }],
    limit: usd(2),
  });
  const own = budget({ id: 'own', scope: [{ on: 'entity', type: 'customer', values: { kind: 'is', value: 'acme' } }] });
  const book = bookOf(rest, own);
  const acme = call({ tags: { customer: 'acme' } });
  for (let n = 0; n < 3; n += 1) book.settle(admitted(book, { call: acme }), usd(1));
  book.replace([rest]);
  assert.deepEqual(refused(book, { call: acme }).spent, usd(3));
});

test('B54 values beyond the most instances share one limit', () => {
  const book = new BudgetBook({ mostInstances: 2 });
  book.replace([budget({ scope: EACH_CUSTOMER, limit: usd(1) })]);
  const of = (customer: string): Partial<Reserve> => ({ call: call({ tags: { customer } }) });
  admitted(book, of('a'));
  admitted(book, of('b'));
  admitted(book, of('c'));
  assert.equal(refused(book, of('d')).reserved, usd(1));
  refused(book, of('a'));
});

test('B60 a book restored from its rows goes on as if nothing had happened, through JSON as well', () => {
  const budgets = [
    budget({ scope: EACH_CUSTOMER, limit: usd(4) }),
    budget({ id: 'roll', window: { kind: 'rolling', lengthMs: HOUR }, limit: usd(50) }),
  ];
  const book = bookOf(...budgets);
  const acme = call({ tags: { customer: 'acme' }, labels: ['beta'], paths: ['a/b'] });
  book.settle(admitted(book, { call: acme }), usd(2));
  const running = admitted(book, { call: acme, at: after(60_000) });
  book.markInDoubt(admitted(book, { call: acme, bound: usd(0.5) }));
  const rows = book.rows();
  const restored = new BudgetBook();
  assert.deepEqual(restored.restore(JSON.parse(JSON.stringify(rows)), budgets), []);
  assert.deepEqual(restored.rows(), rows);
  assert.deepEqual(restored.rows(), structuredClone(rows));
  for (const one of [book, restored]) {
    one.settle(running, usd(1));
    assert.equal(refused(one, { call: acme }).atRisk, usd(0.5));
  }
  assert.deepEqual(restored.standing(NOON), book.standing(NOON));
});

test('B60 a budget that the rows do not know is new, and holds the calls that run', () => {
  const book = bookOf(budget());
  admitted(book);
  const added = budget({ id: 'team', scope: [{ on: 'team', values: { kind: 'is', value: 'growth' } }] });
  const restored = new BudgetBook();
  const specs = restored.restore(book.rows(), [budget(), added]);
  assert.deepEqual(specs.length, 1);
  assert.deepEqual(standing(restored), [
    [0, 1, 0, 0],
    [0, 1, 0, 0],
  ]);
});

test('B55 a call that ended elsewhere counts as if it had been held here', () => {
  const [held, told] = [bookOf(budget()), bookOf(budget())];
  for (const [cost, reserved] of [
    [usd(1), usd(2)],
    [usd(3), usd(2)],
    [usd(1), null],
    [null, usd(2)],
    [null, null],
  ] as const) {
    const asked = wanted({ bound: reserved, expected: reserved });
    held.hold(asked);
    held.settle(asked.id, cost);
    told.count({ id: asked.id, call: asked.call, at: NOON, cost, reserved, now: NOON });
  }
  assert.deepEqual(standing(told), [[5, 0, 2, 2]]);
  assert.deepEqual(told.standing(NOON), held.standing(NOON));
});

test('B56 what another book has counted is taken over, and what runs here is held in it once', () => {
  const other = bookOf(budget({ id: 'b2', scope: EACH_CUSTOMER }));
  const acme = call({ tags: { customer: 'acme' } });
  other.count({ id: 'call_a.1', call: acme, at: NOON, cost: usd(2), reserved: usd(3), now: NOON });
  other.count({ id: 'call_b.1', call: acme, at: NOON, cost: null, reserved: usd(1), now: NOON });
  const book = bookOf(budget());
  book.count({ id: 'call_b.1', call: acme, at: NOON, cost: null, reserved: usd(1), now: NOON });
  admitted(book, { call: acme });
  const both = [budget(), budget({ id: 'b2', scope: EACH_CUSTOMER })];
  assert.deepEqual(
    book.uncounted(both).map(({ id }) => id),
    ['b2'],
  );
  book.extend(both, other.rows());
  assert.deepEqual(standing(book), [
    [0, 1, 1, 0],
    [2, 1, 1, 0],
  ]);
  book.settle('call_b.1', usd(1));
  assert.deepEqual(standing(book), [
    [1, 1, 0, 0],
    [3, 1, 0, 0],
  ]);
});
