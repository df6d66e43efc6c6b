import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, budget, call, DAY, NOON, usd } from './budget.fixture.ts';
import { BudgetBook, LeaseBook, type Budget, type LeaseWant } from './index.ts';

function open(given: Partial<Budget> = {}) {
  const leases = new LeaseBook();
  const book = new BudgetBook({ leases });
  book.replace([budget(given)]);
  let made = 0;
  const reserve = (dollars: number, final?: true) => {
    made += 1;
    const cost = usd(dollars);
    const asked = { id: `call_${made}`, call: call(), bound: cost, expected: cost, at: NOON };
    return book.reserve(final === undefined ? asked : { ...asked, final });
  };
  const wanted = (dollars: number): LeaseWant => {
    const answer = reserve(dollars);
    const [want] = answer.kind === 'short' ? answer.wants : [];
    return want ?? assert.fail(answer.kind);
  };
  const lease = (dollars: number, elsewhere = 0): void =>
    book.take([{ share: wanted(9).share, amount: usd(dollars), elsewhere: usd(elsewhere) }]);
  return { leases, book, reserve, wanted, lease };
}

test('B75 a call has to fit in the lease as well as in the limit; else it is said what is needed, and nothing is held', () => {
  const { book, reserve, wanted, lease } = open();
  const { limit, level, needed, until } = wanted(2);
  assert.deepEqual([limit, level, needed, until], [usd(10), 0n, usd(2), after(DAY / 2 + DAY)]);
  assert.deepEqual(book.standing(NOON), []);
  lease(3, 6);
  assert.equal(reserve(2).kind, 'admitted');
  assert.equal(reserve(1).kind, 'admitted');
  assert.deepEqual([wanted(1).level, wanted(1).needed], [usd(3), usd(1)]);
  const refused = reserve(1, true);
  assert.ok(refused.kind === 'refused');
  assert.deepEqual([refused.by.reason, refused.by.elsewhere, refused.by.reserved], ['exceeded', usd(6), usd(3)]);
  const beyond = reserve(8);
  assert.ok(beyond.kind === 'refused' && beyond.by.reason === 'exceeded');
});

test('B75 an observing budget and one that warns need no lease', () => {
  for (const given of [{ mode: 'observe' }, { mode: 'standard', action: { kind: 'warn' } }] as const)
    assert.equal(open(given).reserve(2).kind, 'admitted');
});

test('B76 a lease is lowered to what counts, and forgotten with its window', () => {
  const { book, reserve, lease } = open();
  lease(5);
  assert.equal(reserve(2).kind, 'admitted');
  const [before] = book.leaseRows('known', NOON);
  assert.deepEqual([before?.lease, before?.level], [usd(5), usd(2)]);
  book.trim('all', NOON);
  assert.deepEqual(
    book.leaseRows('known', NOON).map((row) => [row.lease, row.level]),
    [[usd(2), usd(2)]],
  );
  assert.equal(reserve(1).kind, 'short');
  book.expire(after(DAY));
  assert.deepEqual(book.leaseRows('known', after(DAY)), []);
});

test('B76 what is spent without a lease is known once all is asked for', () => {
  const { book } = open();
  book.count({ id: 'old', call: call(), at: NOON, cost: usd(4), reserved: null, now: NOON });
  assert.deepEqual(book.leaseRows('known', NOON), []);
  assert.deepEqual(
    book.leaseRows('all', NOON).map(({ lease, level }) => [lease, level]),
    [[0n, usd(4)]],
  );
  assert.equal(book.leaseRows('known', NOON).length, 1);
});

test('B77 while nobody can be asked, a budget spends its lease or refuses', () => {
  for (const [outage, kinds] of [
    ['spend_lease', ['admitted', 'short', 'refused']],
    ['refuse', ['refused', 'refused', 'refused']],
  ] as const) {
    const { leases, reserve, lease } = open({ outage });
    lease(3);
    leases.reach(false);
    const answers = [reserve(2), reserve(2), reserve(2, true)];
    assert.deepEqual(
      answers.map(({ kind }) => kind),
      kinds,
    );
    const last = answers.at(-1);
    assert.ok(last?.kind === 'refused' && last.by.reason === 'unreachable');
    assert.equal(reserve(0).kind, 'admitted');
  }
});
