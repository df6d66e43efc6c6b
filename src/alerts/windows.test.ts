import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Window } from '#budgets';
import type { TimestampMs } from '#std';
import { lastWhole, windowsToSee } from './windows.ts';

const at = (text: string): TimestampMs => Date.parse(text) as TimestampMs;

const BERLIN: Window = { kind: 'day', count: 1, zone: 'Europe/Berlin' };
const LONG_AGO = at('2020-01-01T00:00:00Z');

function seen(span: Window, now: string, evaluated: string): readonly string[] {
  return windowsToSee({ span, now: at(now), evaluatedAt: at(evaluated), createdAt: LONG_AGO }).map(({ id }) => id);
}

test('in the middle of a window only that one is looked at', () => {
  assert.deepEqual(seen(BERLIN, '2026-03-29T12:00:00Z', '2026-03-29T11:59:00Z'), ['day 2026-03-29']);
});

test('just after a window its end is looked at too, as calls that began in it arrive late', () => {
  assert.deepEqual(seen(BERLIN, '2026-03-28T23:05:00Z', '2026-03-28T23:04:00Z'), ['day 2026-03-28', 'day 2026-03-29']);
  assert.deepEqual(seen(BERLIN, '2026-03-28T23:11:00Z', '2026-03-28T23:10:00Z'), ['day 2026-03-29']);
});

test('after days without a server the last window and the one that runs are looked at, and none before', () => {
  assert.deepEqual(seen(BERLIN, '2026-04-10T12:00:00Z', '2026-04-01T12:00:00Z'), ['day 2026-04-09', 'day 2026-04-10']);
});

test('what was over before there was a rule is not looked at', () => {
  const made = at('2026-04-10T11:00:00Z');
  const windows = windowsToSee({ span: BERLIN, now: at('2026-04-10T11:01:00Z'), evaluatedAt: made, createdAt: made });
  assert.deepEqual(
    windows.map(({ id }) => id),
    ['day 2026-04-10'],
  );
});

test('days with a change of the clock have 23 and 25 hours, and the day before them is the day before', () => {
  const hoursOf = (now: string): readonly number[] => {
    const [one] = windowsToSee({ span: BERLIN, now: at(now), evaluatedAt: at(now), createdAt: LONG_AGO });
    assert.ok(one !== undefined);
    return [one.window, one.before].map(({ start, end }) => (end - start) / 3_600_000);
  };
  assert.deepEqual(hoursOf('2026-03-29T12:00:00Z'), [23, 24]);
  assert.deepEqual(hoursOf('2026-03-30T12:00:00Z'), [24, 23]);
  assert.deepEqual(hoursOf('2026-10-25T12:00:00Z'), [25, 24]);
});

test('three months follow one another over the end of a February', () => {
  const month: Window = { kind: 'month', count: 1, startsOn: 1, zone: 'UTC' };
  assert.deepEqual(seen(month, '2024-01-31T12:00:00Z', '2024-01-31T11:00:00Z'), ['month 2024-01-01']);
  assert.deepEqual(seen(month, '2024-02-29T12:00:00Z', '2024-02-29T11:00:00Z'), ['month 2024-02-01']);
  assert.deepEqual(seen(month, '2024-03-01T00:00:00Z', '2024-02-29T23:59:00Z'), [
    'month 2024-02-01',
    'month 2024-03-01',
  ]);
});

test('less than before shows only in a window that is over and complete', () => {
  assert.equal(lastWhole(BERLIN, at('2026-03-30T22:05:00Z')).id, 'day 2026-03-29');
  assert.equal(lastWhole(BERLIN, at('2026-03-30T22:11:00Z')).id, 'day 2026-03-30');
});
