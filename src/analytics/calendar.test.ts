import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bucketIds, bucketOf, dateOf, offsetsIn, startOfDate, unitWithin } from './calendar.ts';
import { parseTimeZone, zoneOffsetMs } from '#std';

const iso = (ms: number) => new Date(ms).toISOString();

describe('a day in a time zone', () => {
  it('starts at its first instant, also where the clock jumps over midnight or repeats it', () => {
    assert.equal(iso(startOfDate('2025-03-30', 'Europe/Berlin')), '2025-03-29T23:00:00.000Z');
    assert.equal(iso(startOfDate('2025-03-31', 'Europe/Berlin')), '2025-03-30T22:00:00.000Z');
    // Beirut: 2024-03-31 began at 01:00. Havana: 2025-11-02 had 00:00–01:00 twice.
    assert.equal(iso(startOfDate('2024-03-31', 'Asia/Beirut')), '2024-03-30T22:00:00.000Z');
    assert.equal(iso(startOfDate('2025-11-02', 'America/Havana')), '2025-11-02T04:00:00.000Z');
  });

  it('contains its first instant and not the one before, in every zone', () => {
    const zone = fc.constantFrom(
      'UTC',
      'Asia/Kolkata',
      'America/St_Johns',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'Asia/Beirut',
      'Pacific/Apia',
    );
    const date = fc
      .date({ min: new Date('1980-01-01'), max: new Date('2037-12-30'), noInvalidDate: true })
      .map((at) => at.toISOString().slice(0, 10));
    fc.assert(
      fc.property(zone, date, (timeZone, day) => {
        const start = startOfDate(day, timeZone);
        // Apia skipped 2011-12-30 as a whole.
        fc.pre(!(timeZone === 'Pacific/Apia' && day === '2011-12-30'));
        assert.equal(dateOf(start, timeZone), day);
        assert.ok(dateOf(start - 1, timeZone) < day);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('buckets', () => {
  it('cover a period, the touched ones whole', () => {
    const period = {
      startMs: Date.parse('2025-01-30T10:20:00Z'),
      endMs: Date.parse('2025-03-01T00:00:00Z'),
      timeZone: 'UTC',
    };
    assert.deepEqual(bucketIds(period, 'month', 10), ['2025-01-01', '2025-02-01']);
    assert.deepEqual(bucketIds(period, 'week', 10), [
      '2025-01-27',
      '2025-02-03',
      '2025-02-10',
      '2025-02-17',
      '2025-02-24',
    ]);
    assert.equal(bucketIds(period, 'day', 100)?.length, 30);
    assert.equal(bucketIds(period, 'day', 29), undefined);
    const hours = bucketIds({ ...period, endMs: Date.parse('2025-01-30T12:00:01Z') }, 'hour', 10);
    assert.deepEqual(
      hours?.map((id) => bucketOf(id, 'hour', 'UTC').date),
      ['2025-01-30T10:00:00Z', '2025-01-30T11:00:00Z', '2025-01-30T12:00:00Z'],
    );
  });

  it('of a day with 25 hours are 25', () => {
    const period = {
      startMs: startOfDate('2025-10-26', 'Europe/Berlin'),
      endMs: startOfDate('2025-10-27', 'Europe/Berlin'),
      timeZone: 'Europe/Berlin',
    };
    assert.equal(bucketIds(period, 'hour', 100)?.length, 25);
  });
});

it('a time zone is an IANA name in its canonical spelling', () => {
  assert.equal(parseTimeZone('europe/berlin'), 'Europe/Berlin');
  assert.equal(parseTimeZone('+02:00'), undefined);
  assert.equal(parseTimeZone('Mars/Olympus'), undefined);
});

describe('the coarsest unit within a bucket', () => {
  const year = { startMs: Date.UTC(2025, 0, 1), endMs: Date.UTC(2026, 0, 1) };

  it('is a day in UTC, and what the zone is off by elsewhere', () => {
    const units = [
      'UTC',
      'Europe/Berlin',
      'Africa/Abidjan',
      'Asia/Kolkata',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
    ].map((timeZone) => {
      const spans = offsetsIn({ ...year, timeZone });
      return [unitWithin('day', spans), unitWithin('hour', spans)];
    });
    assert.deepEqual(units, [
      ['day', 'hour'],
      ['hour', 'hour'],
      ['day', 'hour'],
      ['quarter', 'quarter'],
      ['quarter', 'quarter'],
      ['quarter', 'quarter'],
    ]);
  });

  it('is a quarter where a zone was off by something else once', () => {
    const unit = (from: number, timeZone: string) =>
      unitWithin('month', offsetsIn({ startMs: Date.UTC(from, 0, 1), endMs: Date.UTC(2025, 0, 1), timeZone }));
    // Summer time all year round until 1971.
    assert.equal(unit(1970, 'Europe/London'), 'hour');
    assert.deepEqual([unit(1970, 'Africa/Monrovia'), unit(1973, 'Africa/Monrovia')], ['quarter', 'day']);
  });
});

describe('what a zone is off by', () => {
  const of = (start: string, end: string, timeZone: string) =>
    offsetsIn({ startMs: Date.parse(start), endMs: Date.parse(end), timeZone }).map(({ fromMs, offsetMs }) => [
      new Date(fromMs).toISOString().slice(0, 16),
      offsetMs / 60_000,
    ]);

  it('is told with the quarter of an hour in which it changes', () => {
    assert.deepEqual(of('2025-03-01', '2025-11-30', 'Europe/Berlin'), [
      ['2025-02-28T00:00', 60],
      ['2025-03-30T01:00', 120],
      ['2025-10-26T01:00', 60],
    ]);
    assert.deepEqual(of('2025-10-01', '2025-11-01', 'Australia/Lord_Howe'), [
      ['2025-09-30T00:00', 630],
      ['2025-10-04T15:30', 660],
    ]);
    assert.deepEqual(of('2025-01-01', '2026-01-01', 'UTC'), [['2024-12-31T00:00', 0]]);
  });

  it('is found wherever it changes: each day has the offset of its span', () => {
    const [startMs, endMs] = [Date.UTC(1998, 0, 1), Date.UTC(2016, 0, 1)];
    for (const timeZone of ['America/Noronha', 'Africa/Cairo', 'America/Argentina/San_Luis', 'Pacific/Apia']) {
      const spans = offsetsIn({ startMs, endMs, timeZone });
      for (let at = startMs; at < endMs; at += 86_400_000) {
        const span = spans.findLast(({ fromMs }) => fromMs <= at);
        assert.equal(span?.offsetMs, zoneOffsetMs(at, timeZone), `${timeZone} ${new Date(at).toISOString()}`);
      }
    }
  });

  it('ends the hour in the middle of which it changes', () => {
    const period = {
      startMs: Date.parse('2025-04-05T13:00:00Z'),
      endMs: Date.parse('2025-04-05T17:00:00Z'),
      timeZone: 'Australia/Lord_Howe',
    };
    const dates = bucketIds(period, 'hour', 10)?.map((id) => bucketOf(id, 'hour', period.timeZone).date);
    assert.deepEqual(dates, [
      '2025-04-06T00:00:00+11:00',
      '2025-04-06T01:00:00+11:00',
      '2025-04-06T01:30:00+10:30',
      '2025-04-06T02:00:00+10:30',
      '2025-04-06T03:00:00+10:30',
    ]);
  });
});
