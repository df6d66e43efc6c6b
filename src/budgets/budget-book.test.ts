import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZERO_USD } from '#terms';
import { admitted, bookOf, EACH_CUSTOMER, refused, standing } from './budget-book.fixture.ts';
import { after, budget, call, DAY, HOUR, NOON, usd, wanted } from './budget.fixture.ts';
import { type Budget } from './index.ts';

test('B20 of 200 calls at once a strict budget that fits ten admits ten', () => {
  const book = bookOf(budget());
  const kinds = Array.from({ length: 200 }, () => book.reserve(wanted()).kind);
  assert.equal(kinds.filter((kind) => kind === 'admitted').length, 10);
  assert.deepEqual(standing(book), [[0, 10, 0, 0]]);
});

test('B20 of 200 calls at once ten are admitted, for every kind of scope (D1, D3, D8)', () => {
  const is = { kind: 'is', value: 'x' } as const;
  const one = call({
    key: 'x',
    team: 'x',
    owner: 'x',
    model: 'x',
    provider: 'x',
    route: 'x',
    tags: { customer: 'x', team: 'x', project: 'x', employee: 'x', feature: 'x' },
    labels: ['x'],
    paths: ['y/z'],
  });
  const scopes: readonly Budget['scope'][] = [
    ...(['key', 'team', 'owner', 'model', 'provider', 'route'] as const).map((on) => [{ on, values: is }]),
    ...['customer', 'team', 'project', 'employee'].map((type) => [{ on: 'entity', type, values: is } as const]),
    [{ on: 'dimension', key: 'feature', values: { kind: 'each' } }],
    [{ on: 'dimension', key: 'feature', values: { kind: 'unlisted' } }],
    [{ on: 'dimension', key: 'env', values: { kind: 'none' } }],
    [{ on: 'label', label: 'x' }],
    [{ on: 'label', label: 'y' }],
  ];
  for (const scope of scopes) {
    const book = bookOf(budget({ scope }));
    const kinds = Array.from({ length: 200 }, () => book.reserve(wanted({ call: one })).kind);
    assert.equal(kinds.filter((kind) => kind === 'admitted').length, 10, JSON.stringify(scope));
  }
});

test('B20 the first calls of an unknown customer meet the default budget (D2)', () => {
  const book = bookOf(
    budget({ scope: [{ on: 'entity', type: 'customer', values: { kind: 'unlisted' } }], limit: usd(3) }),
  );
  const kinds = Array.from(
    { length: 8 },
    () => book.reserve(wanted({ call: call({ tags: { customer: 'new' } }) })).kind,
  );
  assert.deepEqual(kinds.filter((kind) => kind === 'admitted').length, 3);
});

test('B20 without a budget nothing is refused (D15)', () => {
  const book = bookOf();
  for (let n = 0; n < 50; n += 1) admitted(book, { bound: null, expected: null });
  assert.deepEqual(book.standing(NOON), []);
});

test('B21 a call is held in every budget it falls in, or in none', () => {
  const book = bookOf(
    budget({ id: 'wide', limit: usd(100) }),
    budget({ id: 'tight', limit: usd(1), scope: [{ on: 'team', values: { kind: 'is', value: 'growth' } }] }),
  );
  admitted(book);
  const by = refused(book);
  assert.equal(by.budgetId, 'tight');
  assert.deepEqual(standing(book), [
    [0, 1, 0, 0],
    [0, 1, 0, 0],
  ]);
});

test('B22 a refusal names the tightest budget, how it stands, when it resets, and what would fit', () => {
  const book = bookOf(
    budget({ id: 'wide', limit: usd(2.5) }),
    budget({ id: 'tight', name: 'Acme', limit: usd(2), scope: EACH_CUSTOMER }),
  );
  const acme = call({ tags: { customer: 'acme' } });
  book.settle(admitted(book, { call: acme }), usd(0.4));
  admitted(book, { call: acme });
  assert.deepEqual(book.reserve(wanted({ call: acme })), {
    kind: 'refused',
    by: {
      budgetId: 'tight',
      budgetName: 'Acme',
      ofDeployment: false,
      scope: 'customer=acme',
      reason: 'exceeded',
      spent: usd(0.4),
      reserved: usd(1),
      elsewhere: usd(0),
      atRisk: ZERO_USD,
      limit: usd(2),
      needed: usd(1),
      windowId: '2026-11-21',
      resetsAt: Date.parse('2026-11-22T00:00:00Z'),
    },
    clamp: usd(0.6),
  });
  admitted(book, { call: acme, bound: usd(0.6) });
  assert.deepEqual(book.reserve(wanted({ call: acme, bound: usd(0.5) })).kind, 'refused');
});

test('B23 a strict budget refuses what cannot be bounded or priced, and what cannot cost anything passes', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  assert.equal(refused(book, { bound: null }).reason, 'unbounded');
  assert.equal(refused(book, { bound: null, expected: null }).reason, 'unpriced');
  admitted(book);
  assert.equal(refused(book, { bound: usd(0.000001) }).reason, 'exceeded');
  admitted(book, { bound: ZERO_USD, expected: ZERO_USD });
});

test('B24 a standard budget holds the expected cost and stops when it is used up', () => {
  const book = bookOf(budget({ mode: 'standard', limit: usd(1) }));
  const first = admitted(book);
  admitted(book, { bound: null });
  assert.equal(refused(book).reserved, usd(1));
  book.settle(first, usd(0.7));
  assert.deepEqual(standing(book), [[0.7, 0.5, 0, 0]]);
  assert.equal(refused(book, { expected: ZERO_USD }).reason, 'exceeded');
  assert.equal(refused(book, { bound: null, expected: null }).reason, 'exceeded');
});

test('B24 a standard budget that is exactly used up refuses what costs nothing probably, but not surely', () => {
  const book = bookOf(budget({ mode: 'standard', limit: usd(0.5) }));
  admitted(book);
  refused(book, { expected: ZERO_USD });
  admitted(book, { bound: ZERO_USD, expected: ZERO_USD });
});

test('B24 a standard budget with room admits a call without a price and counts that it did', () => {
  const book = bookOf(budget({ mode: 'standard' }));
  const id = admitted(book, { bound: null, expected: null });
  assert.equal(book.standing(NOON)[0]?.unbounded, 1);
  book.settle(id, null);
  assert.deepEqual(
    book.standing(NOON).map(({ unbounded, unpriced, spent }) => ({ unbounded, unpriced, spent })),
    [{ unbounded: 0, unpriced: 1, spent: ZERO_USD }],
  );
});

test('B25 an observing budget and one that warns refuse nothing and say that they are exceeded', () => {
  for (const given of [{ mode: 'observe' }, { mode: 'standard', action: { kind: 'warn' } }] as const) {
    const book = bookOf(budget({ ...given, limit: usd(0.5) }));
    admitted(book);
    const admission = book.reserve(wanted());
    assert.equal(admission.kind === 'admitted' && admission.over[0]?.budgetId, 'b1');
  }
});

test('B26 a budget that asks for a cheaper model gets it; a strict one admits it only if it fits', () => {
  const action = { kind: 'downgrade', model: 'gpt-5-nano' } as const;
  const cheap = call({ model: 'gpt-5-nano' });
  const strict = bookOf(budget({ action, limit: usd(1.2) }));
  admitted(strict);
  const answer = strict.reserve(wanted());
  assert.deepEqual(answer.kind === 'downgrade' && [answer.model, answer.clamp], ['gpt-5-nano', usd(0.2)]);
  admitted(strict, { call: cheap, bound: usd(0.2) });
  assert.equal(strict.reserve(wanted({ call: cheap, bound: usd(0.2) })).kind, 'refused');
  const standard = bookOf(budget({ action, mode: 'standard', limit: usd(0.5) }));
  admitted(standard);
  assert.equal(standard.reserve(wanted()).kind, 'downgrade');
  assert.equal(standard.reserve(wanted({ call: cheap })).kind, 'admitted');
});

test('B26 a budget that blocks goes before one that asks for a cheaper model', () => {
  const book = bookOf(
    budget({ id: 'down', limit: usd(0.1), action: { kind: 'downgrade', model: 'x' } }),
    budget({ id: 'block', limit: usd(0.2) }),
  );
  assert.equal(refused(book).budgetId, 'block');
});

test('B30 settling gives back what was held and counts the cost; beyond the bound is an overrun', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  book.settle(admitted(book), usd(0.25));
  assert.deepEqual(standing(book), [[0.25, 0, 0, 0]]);
  book.settle(admitted(book, { bound: usd(0.75) }), usd(2));
  assert.deepEqual(standing(book), [[2.25, 0, 0, 1.25]]);
  assert.equal(book.settle('call_unknown.1', usd(1)), undefined);
});

test('B30 a released call has cost nothing', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  book.release(admitted(book));
  assert.deepEqual(standing(book), [[0, 0, 0, 0]]);
  admitted(book);
});

test('B31 a call in doubt counts what was held for it until it is settled', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  const id = admitted(book);
  book.markInDoubt(id);
  book.markInDoubt(id);
  assert.deepEqual(standing(book), [[0, 0, 1, 0]]);
  assert.equal(refused(book).atRisk, usd(1));
  book.settle(id, usd(0.3));
  assert.deepEqual(standing(book), [[0.3, 0, 0, 0]]);
});

test('B31 a call that was bounded and ended without a price stays in doubt', () => {
  const book = bookOf(budget());
  book.settle(admitted(book), null);
  assert.deepEqual(standing(book), [[0, 0, 1, 0]]);
});

test('B32 a correction counts in the window of what it corrects, and is an overrun where it adds', () => {
  const book = bookOf(budget());
  book.settle(admitted(book), usd(1));
  const tomorrow = after(DAY);
  book.settle(admitted(book, { at: tomorrow }), usd(1));
  const given = { call: call(), now: tomorrow };
  book.correct({ ...given, delta: usd(3), effectiveAt: NOON });
  book.correct({ ...given, delta: usd(-0.5), effectiveAt: tomorrow });
  assert.deepEqual(standing(book, NOON), [[4, 0, 0, 3]]);
  assert.deepEqual(standing(book, tomorrow), [[0.5, 0, 0, 0]]);
});

test('B32 a correction to a window that is over and forgotten is left to the ledger', () => {
  const book = bookOf(budget());
  book.correct({ call: call(), delta: usd(3), effectiveAt: after(-2 * DAY), now: NOON });
  assert.deepEqual(book.rows().cells, []);
});

test('B33 a credit gives back what was spent and raises no limit', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  book.correct({ call: call(), delta: usd(-5), effectiveAt: NOON, now: NOON });
  assert.deepEqual(standing(book), [[-5, 0, 0, 0]]);
  admitted(book);
  refused(book);
});

test('B34 spending that passes a threshold says so once, on settling, doubt or correction', () => {
  const book = bookOf(budget({ thresholds: [50, 80, 100] }));
  const settled = (cost: number): readonly number[] =>
    (book.settle(admitted(book, { bound: usd(cost) }), usd(cost))?.crossings ?? []).map(({ threshold }) => threshold);
  assert.deepEqual(settled(4.999999), []);
  assert.deepEqual(settled(0.000001), [50]);
  const id = admitted(book, { bound: usd(3) });
  assert.deepEqual(book.markInDoubt(id)?.crossings, [
    { budgetId: 'b1', instance: [], windowId: '2026-11-21', threshold: 80, limit: usd(10), committed: usd(8) },
  ]);
  assert.deepEqual(book.settle(id, usd(3))?.crossings, []);
  const { crossings } = book.correct({ call: call(), delta: usd(50), effectiveAt: NOON, now: NOON });
  assert.deepEqual(
    crossings.map(({ threshold }) => threshold),
    [100],
  );
});

test('B40 a window that ends gives its limit back, through three windows of every kind (D10)', () => {
  const zone = 'Asia/Kathmandu';
  const windows: readonly Budget['window'][] = [
    { kind: 'hour', zone },
    { kind: 'day', count: 1, zone },
    { kind: 'week', startsOn: 1, zone },
    { kind: 'month', count: 1, startsOn: 31, zone },
    { kind: 'year', startsOnMonth: 4, zone },
    { kind: 'fixed', lengthMs: 30_000 },
    { kind: 'rolling', lengthMs: HOUR },
  ];
  for (const window of windows) {
    const book = bookOf(budget({ window, limit: usd(1) }));
    let at = NOON;
    for (let turn = 0; turn < 3; turn += 1) {
      book.settle(admitted(book, { at }), usd(1));
      const { resetsAt } = refused(book, { at });
      assert.ok(resetsAt !== null, window.kind);
      refused(book, { at: after(-1, resetsAt) });
      at = resetsAt;
      book.expire(at);
    }
    admitted(book, { at });
  }
});

test('B40 a call is settled in the window it started in', () => {
  const book = bookOf(budget());
  const id = admitted(book);
  const tomorrow = after(DAY);
  book.expire(tomorrow);
  book.settle(id, usd(1));
  assert.deepEqual(standing(book, NOON), [[1, 0, 0, 0]]);
  assert.deepEqual(standing(book, tomorrow), [[0, 0, 0, 0]]);
});

test('B41 a rolling window counts money for its length, and at most a sixtieth longer', () => {
  const book = bookOf(budget({ window: { kind: 'rolling', lengthMs: HOUR }, limit: usd(1) }));
  book.settle(admitted(book, { at: after(30_000) }), usd(1));
  assert.equal(refused(book, { at: after(30_000 + HOUR) }).spent, usd(1));
  admitted(book, { at: after(30_000 + HOUR + HOUR / 60) });
});

test('B41 money that has left a rolling window leaves it once', () => {
  const book = bookOf(budget({ window: { kind: 'rolling', lengthMs: HOUR } }));
  for (const at of [NOON, after(2 * HOUR), after(2 * HOUR + 5 * 60_000), after(2 * HOUR + 10 * 60_000)]) {
    book.settle(admitted(book, { at }), usd(1));
  }
  assert.deepEqual(standing(book, after(2 * HOUR + 10 * 60_000)), [[3, 0, 0, 0]]);
});

test('B41 a late call of a rolling window counts from when it arrives', () => {
  const book = bookOf(budget({ window: { kind: 'rolling', lengthMs: HOUR }, limit: usd(2) }));
  admitted(book, { at: after(5 * 60_000) });
  admitted(book, { at: NOON });
  refused(book, { at: after(HOUR + 60_000) });
});

test('B42 what is over is forgotten, with its last state; what is still needed is kept', () => {
  const book = bookOf(budget({ scope: EACH_CUSTOMER }), budget({ id: 'total', window: { kind: 'total' } }));
  const acme = call({ tags: { customer: 'acme' } });
  book.settle(admitted(book, { call: acme }), usd(1));
  assert.deepEqual(book.expire(after(DAY / 2 - 1)), []);
  assert.deepEqual(
    book.expire(after(DAY / 2)).map(({ instance, spent }) => ({ instance, spent })),
    [{ instance: ['acme'], spent: '1000000000000' }],
  );
  assert.deepEqual(book.rows().cells.length, 1);
});

test('B27 asking is answered as reserving would be, and holds nothing', () => {
  const book = bookOf(budget({ limit: usd(1) }));
  const asked = wanted();
  for (let times = 0; times < 3; times += 1) assert.deepEqual(book.peek(asked), { kind: 'admitted', over: [] });
  assert.deepEqual(standing(book), []);
  assert.equal(book.reserve(asked).kind, 'admitted');
  const late = wanted();
  assert.deepEqual(book.peek(late), book.reserve(late));
  assert.deepEqual(standing(book), [[0, 1, 0, 0]]);
});

test('B28 a refusal says whether another model or provider may have room', () => {
  const provider = { on: 'provider', values: { kind: 'is', value: 'openai' } } as const;
  const each = { on: 'model', values: { kind: 'each' } } as const;
  const key = { on: 'key', values: { kind: 'is', value: 'key_1' } } as const;
  const ofDeployment = (scope: Budget['scope']): boolean =>
    refused(bookOf(budget({ scope, limit: usd(0) }))).ofDeployment;
  assert.deepEqual([[provider], [each], [key, provider], [key], []].map(ofDeployment), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
