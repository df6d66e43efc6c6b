import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampMs } from '#std';
import { parseParameters } from './parameters.ts';
import { parsePeriod, PERIOD_PARAMETERS } from './period.ts';

const NOW = Date.parse('2025-03-31T22:30:00Z') as TimestampMs;

function period(query: Record<string, string>): readonly string[] {
  const { start, end } = parsePeriod(parseParameters(query, PERIOD_PARAMETERS), NOW);
  return [start, end];
}

test('without dates a report is about the last 30 days, today included', () => {
  assert.deepEqual(period({}), ['2025-03-02', '2025-03-31']);
});

test('without a start it is about the 30 days that end with end_date', () => {
  assert.deepEqual(period({ end_date: '2025-01-31' }), ['2025-01-02', '2025-01-31']);
});

test('today and the days before it are those of the time zone', () => {
  assert.deepEqual(period({ timezone: 'Asia/Tokyo' }), ['2025-03-03', '2025-04-01']);
});

test('without an end it goes up to today', () => {
  assert.deepEqual(period({ start_date: '2025-03-30' }), ['2025-03-30', '2025-03-31']);
});
