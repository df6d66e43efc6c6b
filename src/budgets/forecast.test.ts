import assert from 'node:assert/strict';
import { test } from 'node:test';
import { after, DAY, HOUR, NOON, usd } from './budget.fixture.ts';
import { forecastOf, windowAt, type Forecast, type Window } from './index.ts';

function forecast(window: Window, spent: number, at = NOON): Forecast | null {
  const { start, end } = windowAt(window, at);
  return forecastOf({ start, end, limit: usd(10), spent: usd(spent), atRisk: usd(0) }, { window, at });
}

const TODAY: Window = { kind: 'day', count: 1, zone: 'UTC' };

test('D17: the forecast of a daily budget ends today, that of a monthly one with the month', () => {
  assert.deepEqual(forecast(TODAY, 6), { atEnd: usd(12), reachesLimitAt: after(8 * HOUR) });
  const month = forecast({ kind: 'month', count: 1, startsOn: 1, zone: 'UTC' }, 6);
  // 20.5 of 30 days are over.
  assert.equal(month?.atEnd, (usd(6) * BigInt(30 * DAY)) / BigInt(20.5 * DAY));
  assert.equal(month?.reachesLimitAt, null);
});

test('D17: a day of 25 hours is foretold as one', () => {
  const window: Window = { kind: 'day', count: 1, zone: 'Europe/Berlin' };
  const at = after(0, Date.parse('2026-10-25T10:30:00Z') as typeof NOON);
  assert.deepEqual(forecast(window, 3, at)?.atEnd, usd(6));
});

test('nothing is foretold of a window without an end, or of one that has hardly begun', () => {
  assert.equal(forecast({ kind: 'total' }, 6), null);
  assert.equal(forecast({ kind: 'rolling', lengthMs: DAY }, 6), null);
  assert.equal(forecast(TODAY, 6, after(-11.5 * HOUR)), null);
  assert.notEqual(forecast(TODAY, 6, after(-10.8 * HOUR)), null);
});

test('what is spent already beyond the limit was reached in the past, and nothing spent reaches nothing', () => {
  assert.deepEqual(forecast(TODAY, 20), { atEnd: usd(40), reachesLimitAt: after(-6 * HOUR) });
  assert.deepEqual(forecast(TODAY, 0), { atEnd: usd(0), reachesLimitAt: null });
});
