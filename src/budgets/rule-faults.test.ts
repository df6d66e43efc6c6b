import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, budget, NOON, usd } from './budget.fixture.ts';
import {
  BudgetBook,
  findBudgetFault,
  findLimitFault,
  LimitBook,
  parseBudgetDuration,
  type Budget,
  type RateLimit,
  type Window,
} from './index.ts';

const LIMIT: RateLimit = {
  id: 'rpm',
  name: 'Ten a minute',
  scope: [],
  counts: 'declared',
  effectiveFrom: null,
  effectiveTo: null,
  measure: 'requests',
  amount: 10n,
  pace: { kind: 'bucket', perMs: 60_000, burst: 10n },
};

test('B17 a budget that contradicts itself or names no window is a fault, and no book takes it', () => {
  const faults: readonly Partial<Budget>[] = [
    { limit: usd(-1) },
    { raise: { by: usd(-1), until: NOON } },
    { thresholds: [0] },
    { thresholds: [80.5] },
    { action: { kind: 'warn' } },
    { effectiveFrom: after(1), effectiveTo: NOON },
    { counts: 'locked', scope: [{ on: 'label', label: 'beta' }] },
  ];
  const windows: readonly Window[] = [
    { kind: 'hour', zone: 'Europe/Atlantis' },
    { kind: 'hour', zone: '+02:00' },
    { kind: 'day', count: 0, zone: 'UTC' },
    { kind: 'week', startsOn: 8, zone: 'UTC' },
    { kind: 'month', count: 1, startsOn: 32, zone: 'UTC' },
    { kind: 'month', count: 1.5, startsOn: 1, zone: 'UTC' },
    { kind: 'year', startsOnMonth: 0, zone: 'UTC' },
    { kind: 'fixed', lengthMs: 999 },
    { kind: 'rolling', lengthMs: Number.NaN },
  ];
  const book = new BudgetBook();
  for (const given of [...faults, ...windows.map((window) => ({ window }))]) {
    assert.notEqual(findBudgetFault(budget(given)), null);
    assert.throws(() => book.replace([budget(), budget(given)]));
  }
  assert.equal(findBudgetFault(budget()), null);
  assert.deepEqual(book.rows().series, []);
});

test('B17 a limit without a period or below zero is a fault, and no book takes it', () => {
  const window = { kind: 'hour', zone: 'Nowhere' } as const;
  const faults: readonly RateLimit[] = [
    { ...LIMIT, amount: -1n },
    { ...LIMIT, pace: { kind: 'bucket', perMs: 0, burst: 1n } },
    { ...LIMIT, pace: { kind: 'bucket', perMs: 1, burst: -1n } },
    { ...LIMIT, pace: { kind: 'window', window } },
  ];
  for (const limit of faults) {
    assert.notEqual(findLimitFault(limit), null);
    assert.throws(() => new LimitBook().replace([limit]));
  }
  assert.equal(findLimitFault(LIMIT), null);
});

test('B17 every length of time that is read is a window a budget can have, or its fault is told', () => {
  for (const text of ['30s', '30m', '1h', '30h', '1d', '7d', '30d', '2w', '1mo', '1y']) {
    const window = parseBudgetDuration(text, 'Asia/Kathmandu');
    assert.ok(window !== undefined);
    assert.equal(findBudgetFault(budget({ window })), null);
  }
  assert.notEqual(findBudgetFault(budget({ window: { kind: 'day', count: 999_999, zone: 'UTC' } })), null);
});
