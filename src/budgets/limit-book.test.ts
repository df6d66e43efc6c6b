import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { after, call, DAY, HOUR, NOON, usd } from './budget.fixture.ts';
import { LimitBook, type LimitAnswer, type LimitRequest, type LimitStanding, type RateLimit } from './index.ts';

const MINUTE = 60_000;

const RULE = { scope: [], counts: 'declared', effectiveFrom: null, effectiveTo: null } as const;

const PER_MINUTE = { kind: 'bucket', perMs: MINUTE, burst: 10n } as const;

/** Ten requests a minute for everything. */
const requests: RateLimit = {
  ...RULE,
  id: 'rpm',
  name: 'Ten a minute',
  measure: 'requests',
  amount: 10n,
  pace: PER_MINUTE,
};

const tokens: RateLimit = {
  ...RULE,
  id: 'tpm',
  name: 'Tokens a minute',
  measure: 'tokens',
  amount: 6000n,
  pace: { kind: 'bucket', perMs: MINUTE, burst: 6000n },
};

function bookOf(...limits: readonly RateLimit[]): LimitBook {
  const book = new LimitBook();
  book.replace(limits);
  return book;
}

let made = 0;

function wanted(given: Partial<LimitRequest> = {}): LimitRequest {
  made += 1;
  return { id: `call_${made}`, call: call(), at: NOON, tokens: 100, usd: usd(0.5), ...given };
}

function admitted(book: LimitBook, given: Partial<LimitRequest> = {}): string {
  const asked = wanted(given);
  assert.equal(book.take(asked).kind, 'admitted');
  return asked.id;
}

function refused(book: LimitBook, given: Partial<LimitRequest> = {}): Extract<LimitAnswer, { kind: 'refused' }> {
  const answer = book.take(wanted(given));
  return answer.kind === 'refused' ? answer : assert.fail('it was admitted');
}

function left(book: LimitBook, at = NOON): readonly LimitStanding['remaining'][] {
  const asked = wanted({ at, tokens: 0, usd: usd(0) });
  const answer = book.take(asked);
  book.cancel(asked.id, at);
  return answer.standings.map(
    ({ remaining, measure }) => remaining + (answer.kind === 'admitted' && measure === 'requests' ? 1n : 0n),
  );
}

test('B80 a bucket gives its burst at once and refills steadily, to the millisecond', () => {
  const book = bookOf(requests);
  for (let n = 0; n < 10; n += 1) admitted(book);
  const answer = refused(book);
  assert.deepEqual([answer.by.remaining, answer.by.resetMs, answer.retryAfterMs], [0n, MINUTE, 6000]);
  refused(book, { at: after(5999) });
  admitted(book, { at: after(6000) });
  refused(book, { at: after(6000) });
});

test('B80 no minute sees more than the amount and the burst together, and no request waits longer than it is told', () => {
  const anyLimit = fc.record({
    amount: fc.bigInt(1n, 97n),
    burst: fc.bigInt(1n, 20n),
    perMs: fc.integer({ min: 7, max: 1009 }),
  });
  const anyGap = fc.oneof(fc.constant(0), fc.nat(50));
  fc.assert(
    fc.property(anyLimit, fc.array(anyGap, { maxLength: 120 }), ({ amount, burst, perMs }, gaps) => {
      const book = bookOf({ ...requests, amount, pace: { kind: 'bucket', perMs, burst } });
      const times: number[] = [];
      let at = NOON;
      for (const gap of gaps) {
        at = after(gap, at);
        const answer = book.take(wanted({ at }));
        if (answer.kind === 'admitted') {
          times.push(at);
        } else {
          assert.equal(book.take(wanted({ at: after((answer.retryAfterMs ?? 0) - 1, at) })).kind, 'refused');
        }
      }
      for (const start of times) {
        const within = times.filter((time) => time >= start && time <= start + perMs).length;
        assert.ok(BigInt(within) <= amount + burst);
      }
    }),
  );
});

test('B80 a bucket is exact where a count of milliseconds divides nothing', () => {
  const book = bookOf({ ...requests, amount: 7n, pace: { kind: 'bucket', perMs: 1000, burst: 1n } });
  admitted(book);
  assert.equal(refused(book).retryAfterMs, 143);
  refused(book, { at: after(142) });
  admitted(book, { at: after(143) });
  // Seven take 1,000 ms: 142 and 6/7 ms each, rounded up only for the caller.
  refused(book, { at: after(285) });
  admitted(book, { at: after(286) });
});

test('B80 time that runs backwards neither gives nor takes', () => {
  const book = bookOf(tokens);
  admitted(book, { tokens: 6000, at: after(MINUTE) });
  assert.deepEqual(left(book), [0n]);
  assert.deepEqual(left(book, after(MINUTE + 1000)), [100n]);
});

test('B81 a window gives everything back when it ends, and not before', () => {
  const month = { kind: 'month', count: 1, startsOn: 1, zone: 'Asia/Kathmandu' } as const;
  const book = bookOf({ ...requests, amount: 2n, pace: { kind: 'window', window: month } });
  const end = Date.parse('2026-11-30T18:15:00Z') - NOON;
  admitted(book);
  admitted(book, { at: after(end - 1) });
  assert.deepEqual(refused(book).retryAfterMs, end);
  admitted(book, { at: after(end) });
});

test('B82 a call takes from every limit it falls in or from none; the refusal names the one that takes longest', () => {
  const book = bookOf(requests, {
    ...requests,
    id: 'day',
    name: 'One a day',
    amount: 1n,
    pace: { kind: 'bucket', perMs: DAY, burst: 1n },
  });
  admitted(book);
  const answer = refused(book);
  assert.deepEqual([answer.by.limitId, answer.retryAfterMs], ['day', DAY]);
  assert.deepEqual(left(book), [9n, 0n]);
});

test('B83 tokens and dollars are settled to what they were, also beyond the limit', () => {
  const dollars: RateLimit = {
    ...RULE,
    id: 'usd',
    name: 'Dollars',
    measure: 'usd',
    amount: usd(1),
    pace: { kind: 'bucket', perMs: HOUR, burst: usd(1) },
  };
  const book = bookOf(tokens, dollars);
  const id = admitted(book, { tokens: 1000 });
  book.finish(id, { tokens: 400, usd: usd(0.25) }, NOON);
  assert.deepEqual(left(book), [5600n, usd(0.75)]);
  book.finish(admitted(book), { tokens: 11_600, usd: null }, NOON);
  const answer = refused(book, { tokens: 0, usd: usd(0) });
  assert.deepEqual([answer.by.limitId, answer.retryAfterMs], ['tpm', MINUTE]);
  book.finish('call_unknown', { tokens: 5, usd: null }, NOON);
});

test('B83 what has been given back already is not given back twice', () => {
  const book = bookOf(tokens);
  const id = admitted(book, { tokens: 6000 });
  book.finish(id, { tokens: 0, usd: null }, after(MINUTE / 2));
  assert.deepEqual(left(book, after(MINUTE / 2)), [6000n]);
  const hourly: RateLimit = { ...tokens, pace: { kind: 'window', window: { kind: 'hour', zone: 'UTC' } } };
  const windows = bookOf(hourly);
  const over = admitted(windows, { tokens: 6000 });
  admitted(windows, { tokens: 500, at: after(HOUR) });
  windows.finish(over, { tokens: 1, usd: null }, after(HOUR));
  assert.deepEqual(left(windows, after(HOUR)), [5500n]);
});

test('B83 a call that did not happen gives back all that it took', () => {
  const book = bookOf(requests, tokens);
  book.cancel(admitted(book), NOON);
  assert.deepEqual(left(book), [10n, 6000n]);
});

test('B84 parallel calls are those that have not ended; no time is told for them', () => {
  const book = bookOf({ ...RULE, id: 'two', name: 'Two at once', measure: 'parallel', amount: 2n });
  const first = admitted(book);
  admitted(book);
  const answer = refused(book, { at: after(DAY) });
  assert.deepEqual([answer.retryAfterMs, answer.by.remaining, answer.by.resetMs], [null, 0n, null]);
  book.finish(first, { tokens: 1, usd: null }, NOON);
  admitted(book);
});

test('B85 a call larger than the limit is told that waiting does not help', () => {
  assert.equal(refused(bookOf(tokens), { tokens: 6001 }).retryAfterMs, null);
  assert.equal(refused(bookOf({ ...requests, amount: 0n, pace: { ...PER_MINUTE, burst: 0n } })).retryAfterMs, null);
});

test('B86 each value of a wildcard has its own; an edit keeps what was taken', () => {
  const each = { ...requests, scope: [{ on: 'entity', type: 'employee', values: { kind: 'each' } }] as const };
  const book = bookOf(each);
  const by = (employee: string): Partial<LimitRequest> => ({ call: call({ tags: { employee } }) });
  for (let n = 0; n < 10; n += 1) admitted(book, by('ann'));
  admitted(book, by('bob'));
  refused(book, by('ann'));
  book.replace([{ ...each, amount: 20n, pace: { ...PER_MINUTE, burst: 11n } }]);
  admitted(book, by('ann'));
  refused(book, by('ann'));
});

test('B87 gauges at rest are forgotten, others are kept and restored', () => {
  const book = bookOf(requests, { ...RULE, id: 'two', name: 'Two', measure: 'parallel', amount: 2n });
  book.finish(admitted(book), { tokens: 1, usd: null }, NOON);
  book.expire(after(5999));
  const rows = book.rows();
  assert.equal(rows.length, 1);
  const restored = bookOf(requests);
  restored.restore(JSON.parse(JSON.stringify(rows)));
  assert.deepEqual(left(restored, after(5999)), [9n]);
  book.expire(after(6000));
  assert.deepEqual(book.rows(), []);
});

test('B88 what happened before is counted whatever is left, and an attempt that is not the last is no request', () => {
  const book = bookOf(requests, tokens);
  const ended = { call: call(), at: NOON, tokens: 5000, usd: usd(0.5) };
  book.count({ ...ended, requests: 0 });
  book.count({ ...ended, requests: 1 });
  assert.deepEqual(left(book), [9n, 0n]);
});

test('B27 asking a limit is answered as taking would be, and takes nothing', () => {
  const book = bookOf(requests);
  for (let times = 0; times < 30; times += 1) assert.equal(book.peek(wanted()).kind, 'admitted');
  assert.deepEqual(left(book), [10n]);
  for (let times = 0; times < 10; times += 1) admitted(book);
  const late = wanted();
  assert.deepEqual(book.peek(late), book.take(late));
});
