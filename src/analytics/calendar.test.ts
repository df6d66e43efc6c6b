import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bucketIds, bucketOf, dateOf, startOfDate, unitWithin } from './calendar.ts';
import { parseTimeZone } from '#std';

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
    ].map((timeZone) => [unitWithin('day', { ...year, timeZone }), unitWithin('hour', { ...year, timeZone })]);
    assert.deepEqual(units, [
      ['day', 'hour'],
      ['hour', 'hour'],
      ['day', 'hour'],
      ['quarter', 'quarter'],
      ['quarter', 'quarter'],
      ['quarter', 'quarter'],
    ]);
  });

  it('is a quarter where a zone was off by something else once, or nobody looks that far', () => {
    const timeZone = 'Europe/London';
    // Summer time all year round.
    const all = { startMs: Date.UTC(1970, 0, 1), endMs: Date.UTC(1971, 0, 1), timeZone };
    assert.equal(unitWithin('month', all), 'hour');
    assert.equal(unitWithin('month', { ...all, endMs: Date.UTC(2025, 0, 1) }), 'quarter');
    assert.equal(
      unitWithin('month', { startMs: Date.UTC(1880, 0, 1), endMs: Date.UTC(1881, 0, 1), timeZone: 'Europe/Paris' }),
      'quarter',
    );
  });
});
