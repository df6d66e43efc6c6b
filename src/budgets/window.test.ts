import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TimestampMs } from '#std';
import { parseBudgetDuration, windowAt, WindowCursor, type Window } from './window.ts';

const at = (text: string): TimestampMs => Date.parse(text) as TimestampMs;
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The starts of the window an instant lies in and of the `count` ones after it, found by a clock that goes on and on. */
function starts(window: Window, from: string, count = 3): readonly string[] {
  const found: string[] = [];
  let now = at(from);
  for (let step = 0; step <= count; step += 1) {
    const { start, end } = windowAt(window, now);
    found.push(iso(start));
    now = end;
  }
  return found;
}

const month = (startsOn: number, zone = 'UTC'): Window => ({ kind: 'month', count: 1, startsOn, zone });

test('B1 hour, day, week, month and year follow the calendar of their zone', () => {
  const zone = 'Asia/Kathmandu';
  const from = '2026-11-21T13:00:00Z';
  assert.deepEqual(starts({ kind: 'hour', zone }, from), [
    '2026-11-21T12:15:00Z',
    '2026-11-21T13:15:00Z',
    '2026-11-21T14:15:00Z',
    '2026-11-21T15:15:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'day', count: 1, zone }, from), [
    '2026-11-20T18:15:00Z',
    '2026-11-21T18:15:00Z',
    '2026-11-22T18:15:00Z',
    '2026-11-23T18:15:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'week', startsOn: 1, zone }, from), [
    '2026-11-15T18:15:00Z',
    '2026-11-22T18:15:00Z',
    '2026-11-29T18:15:00Z',
    '2026-12-06T18:15:00Z',
  ]);
  assert.deepEqual(starts(month(1, zone), from), [
    '2026-10-31T18:15:00Z',
    '2026-11-30T18:15:00Z',
    '2026-12-31T18:15:00Z',
    '2027-01-31T18:15:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'year', startsOnMonth: 4, zone }, from), [
    '2026-03-31T18:15:00Z',
    '2027-03-31T18:15:00Z',
    '2028-03-31T18:15:00Z',
    '2029-03-31T18:15:00Z',
  ]);
});

test('B1 a week starts on the day it is told to', () => {
  assert.deepEqual(starts({ kind: 'week', startsOn: 7, zone: 'UTC' }, '2026-11-21T13:00:00Z', 1), [
    '2026-11-15T00:00:00Z',
    '2026-11-22T00:00:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'week', startsOn: 6, zone: 'UTC' }, '2026-11-21T13:00:00Z', 1), [
    '2026-11-21T00:00:00Z',
    '2026-11-28T00:00:00Z',
  ]);
});

test('B2 a month that starts on the 31st starts on the last day where there is none', () => {
  assert.deepEqual(starts(month(31), '2026-01-31T00:00:00Z'), [
    '2026-01-31T00:00:00Z',
    '2026-02-28T00:00:00Z',
    '2026-03-31T00:00:00Z',
    '2026-04-30T00:00:00Z',
  ]);
  assert.deepEqual(starts(month(31), '2028-02-28T23:59:59Z'), [
    '2028-01-31T00:00:00Z',
    '2028-02-29T00:00:00Z',
    '2028-03-31T00:00:00Z',
    '2028-04-30T00:00:00Z',
  ]);
});

test('B2 the 29th of February ends a month, a day, a week and a year', () => {
  assert.deepEqual(starts(month(29), '2028-02-29T12:00:00Z', 1), ['2028-02-29T00:00:00Z', '2028-03-29T00:00:00Z']);
  assert.deepEqual(starts({ kind: 'day', count: 1, zone: 'UTC' }, '2028-02-28T12:00:00Z'), [
    '2028-02-28T00:00:00Z',
    '2028-02-29T00:00:00Z',
    '2028-03-01T00:00:00Z',
    '2028-03-02T00:00:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'year', startsOnMonth: 3, zone: 'UTC' }, '2028-02-29T23:59:59Z', 1), [
    '2027-03-01T00:00:00Z',
    '2028-03-01T00:00:00Z',
  ]);
});

test('B3 the days of both clock changes are 23 and 25 hours long', () => {
  const zone = 'Europe/Berlin';
  const hours = (day: string): number => {
    const { start, end } = windowAt({ kind: 'day', count: 1, zone }, at(day));
    return (end - start) / 3_600_000;
  };
  assert.deepEqual(
    ['2026-03-28', '2026-03-29', '2026-10-25'].map((day) => hours(`${day}T12:00:00Z`)),
    [24, 23, 25],
  );
  assert.deepEqual(starts({ kind: 'week', startsOn: 1, zone }, '2026-03-25T00:00:00Z', 1), [
    '2026-03-22T23:00:00Z',
    '2026-03-29T22:00:00Z',
  ]);
  assert.deepEqual(starts(month(1, zone), '2026-10-10T00:00:00Z', 1), ['2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z']);
});

test('B3 an hour that the clock shows twice is two windows; one that it skips is none', () => {
  assert.deepEqual(starts({ kind: 'hour', zone: 'Europe/Berlin' }, '2026-10-25T00:30:00Z', 2), [
    '2026-10-25T00:00:00Z',
    '2026-10-25T01:00:00Z',
    '2026-10-25T02:00:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'hour', zone: 'Europe/Berlin' }, '2026-03-29T00:30:00Z', 1), [
    '2026-03-29T00:00:00Z',
    '2026-03-29T01:00:00Z',
  ]);
});

test('B3 where midnight is skipped or repeated the day begins at the jump or at the first midnight', () => {
  const day = (zone: string, text: string): readonly string[] => {
    const { start, end, id } = windowAt({ kind: 'day', count: 1, zone }, at(text));
    return [iso(start), iso(end), id];
  };
  assert.deepEqual(day('America/Havana', '2026-03-08T12:00:00Z'), [
    '2026-03-08T05:00:00Z',
    '2026-03-09T04:00:00Z',
    '2026-03-08',
  ]);
  assert.deepEqual(day('America/Havana', '2026-11-01T12:00:00Z'), [
    '2026-11-01T04:00:00Z',
    '2026-11-02T05:00:00Z',
    '2026-11-01',
  ]);
  assert.deepEqual(day('Pacific/Apia', '2011-12-30T09:00:00Z'), [
    '2011-12-29T10:00:00Z',
    '2011-12-30T10:00:00Z',
    '2011-12-29',
  ]);
});

test('B4 a rolling window advances in sixtieths; a fixed one has its length; a total one never ends', () => {
  assert.deepEqual(starts({ kind: 'rolling', lengthMs: 3_600_000 }, '2026-11-21T13:00:30Z', 2), [
    '2026-11-21T13:00:00Z',
    '2026-11-21T13:01:00Z',
    '2026-11-21T13:02:00Z',
  ]);
  assert.deepEqual(starts({ kind: 'fixed', lengthMs: 30_000 }, '2026-11-21T13:00:31Z', 2), [
    '2026-11-21T13:00:30Z',
    '2026-11-21T13:01:00Z',
    '2026-11-21T13:01:30Z',
  ]);
  const { start, end } = windowAt({ kind: 'total' }, at('2026-11-21T13:00:00Z'));
  assert.deepEqual([start, end], [-8.64e15, 8.64e15]);
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Havana',
  'America/Asuncion',
  'Asia/Kathmandu',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Atlantic/Azores',
];

const anyZone = fc.constantFrom(...ZONES);

const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.record({ kind: fc.constant('hour' as const), zone: anyZone }),
  fc.record({ kind: fc.constant('day' as const), count: fc.integer({ min: 1, max: 45 }), zone: anyZone }),
  fc.record({ kind: fc.constant('week' as const), startsOn: fc.integer({ min: 1, max: 7 }), zone: anyZone }),
  fc.record({
    kind: fc.constant('month' as const),
    count: fc.integer({ min: 1, max: 14 }),
    startsOn: fc.integer({ min: 1, max: 31 }),
    zone: anyZone,
  }),
  fc.record({ kind: fc.constant('year' as const), startsOnMonth: fc.integer({ min: 1, max: 12 }), zone: anyZone }),
  fc.record({ kind: fc.constant('fixed' as const), lengthMs: fc.integer({ min: 1000, max: 1e9 }) }),
  fc.record({ kind: fc.constant('rolling' as const), lengthMs: fc.integer({ min: 1000, max: 1e9 }) }),
);

const anyInstant = fc.integer({ min: at('2008-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') });

test('B5 windows tile time: every instant lies in one, and the next begins where it ends', () => {
  fc.assert(
    fc.property(anyWindow, anyInstant, (window, instant) => {
      const here = windowAt(window, instant as TimestampMs);
      assert.ok(here.start <= instant && instant < here.end);
      assert.deepEqual(windowAt(window, here.start), here);
      assert.deepEqual(windowAt(window, (here.end - 1) as TimestampMs), here);
      assert.equal(windowAt(window, here.end).start, here.end);
      assert.equal(windowAt(window, (here.start - 1) as TimestampMs).end, here.start);
    }),
    { numRuns: 600 },
  );
});

test('B5 days tile time through every clock change of a zone', () => {
  for (const zone of ZONES) {
    for (const window of [
      { kind: 'day', count: 1, zone },
      { kind: 'hour', zone },
    ] as const) {
      let now = at(window.kind === 'day' ? '2011-12-01T00:00:00Z' : '2026-10-20T00:00:00Z');
      for (let step = 0; step < 400; step += 1) {
        const { start, end } = windowAt(window, now);
        assert.equal(start === now || step === 0, true, `${zone} ${iso(now)}`);
        now = end;
      }
    }
  }
});

test('B1 a clock that goes on asks for each window once, and a late call gets its own', () => {
  const cursor = new WindowCursor({ kind: 'day', count: 1, zone: 'Europe/Berlin' });
  const today = cursor.at(at('2026-11-21T13:00:00Z'));
  assert.equal(cursor.at(at('2026-11-21T14:00:00Z')), today);
  assert.equal(cursor.at(at('2026-11-20T14:00:00Z')).id, '2026-11-20');
  assert.equal(cursor.at(at('2026-11-21T15:00:00Z')), today);
});

test('B6 LiteLLM’s lengths of time are windows', () => {
  const zone = 'Europe/Berlin';
  const read = (text: string): Window | undefined => parseBudgetDuration(text, zone);
  assert.deepEqual(read('30s'), { kind: 'fixed', lengthMs: 30_000 });
  assert.deepEqual(read('30m'), { kind: 'fixed', lengthMs: 1_800_000 });
  assert.deepEqual(read('1h'), { kind: 'hour', zone });
  assert.deepEqual(read('30h'), { kind: 'fixed', lengthMs: 108_000_000 });
  assert.deepEqual(read('1d'), { kind: 'day', count: 1, zone });
  assert.deepEqual(read('24h'), { kind: 'day', count: 1, zone });
  assert.deepEqual(read('7d'), { kind: 'week', startsOn: 1, zone });
  assert.deepEqual(read('1w'), { kind: 'week', startsOn: 1, zone });
  assert.deepEqual(read('30d'), { kind: 'month', count: 1, startsOn: 1, zone });
  assert.deepEqual(read('1mo'), { kind: 'month', count: 1, startsOn: 1, zone });
  assert.deepEqual(read('3mo'), { kind: 'month', count: 3, startsOn: 1, zone });
  assert.deepEqual(read('10d'), { kind: 'day', count: 10, zone });
  assert.deepEqual(read('1y'), { kind: 'year', startsOnMonth: 1, zone });
  assert.deepEqual(
    ['', '0d', '1', 'd', '-1d', '1.5h', '1 d', '2y', '1M'].filter((text) => read(text) !== undefined),
    [],
  );
});
