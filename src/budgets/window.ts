import { invariant, type TimestampMs } from '#std';
import { DAY_MS, dateText, dayAt, HOUR_MS, hourAround, startOfDay } from './zone.ts';

/**
 * The time over which money is added up. `zone` is an IANA name. Weeks start on an ISO weekday (Monday is 1); months on a
 * day, or on their last one where they have no such day. Several days count from 1970-01-01, several months from a January.
 * `fixed` windows follow one another from 1970-01-01 UTC on. `rolling` is the time before now.
 */
export type Window =
  | { readonly kind: 'hour'; readonly zone: string }
  | { readonly kind: 'day'; readonly count: number; readonly zone: string }
  | { readonly kind: 'week'; readonly startsOn: number; readonly zone: string }
  | { readonly kind: 'month'; readonly count: number; readonly startsOn: number; readonly zone: string }
  | { readonly kind: 'year'; readonly startsOnMonth: number; readonly zone: string }
  | { readonly kind: 'fixed'; readonly lengthMs: number }
  | { readonly kind: 'rolling'; readonly lengthMs: number }
  | { readonly kind: 'total' };

/** From `start` on, up to `end`, exclusive. Of a rolling window: the step of it in which money is counted. */
export type WindowSpan = { readonly start: TimestampMs; readonly end: TimestampMs; readonly id: string };

/** The first and the last instant a `Date` can hold. */
const EVER_MS = 8_640_000_000_000_000;

/** A rolling window advances in this many steps: money counts for at most one sixtieth longer than the window says. */
const ROLLING_STEPS = 60;

const ISO_WEEKDAY_OF_1970 = 4;

/** The one window of this kind that an instant lies in. They follow one another without gap or overlap. */
export function windowAt(window: Window, at: TimestampMs): WindowSpan {
  switch (window.kind) {
    case 'hour': {
      const { start, end } = hourAround(at, window.zone);
      return span(start, end);
    }
    case 'fixed':
      return blockAround(at, window.lengthMs);
    case 'rolling':
      return blockAround(at, stepMs(window.lengthMs));
    case 'total':
      return { start: -EVER_MS as TimestampMs, end: EVER_MS as TimestampMs, id: 'total' };
    case 'day':
    case 'week':
    case 'month':
    case 'year': {
      const [first, next] = daysAround(window, dayAt(at, window.zone));
      return {
        start: startOfDay(first, window.zone) as TimestampMs,
        end: startOfDay(next, window.zone) as TimestampMs,
        id: dateText(first),
      };
    }
  }
}

/** How long money still counts after the span it was counted in began; 0 where only the span itself counts. */
export function reachMs(window: Window): number {
  if (window.kind !== 'rolling') return 0;
  const step = stepMs(window.lengthMs);
  return Math.ceil(window.lengthMs / step) * step;
}

function stepMs(lengthMs: number): number {
  return Math.ceil(lengthMs / ROLLING_STEPS);
}

function blockAround(at: number, lengthMs: number): WindowSpan {
  const start = Math.floor(at / lengthMs) * lengthMs;
  return span(start, start + lengthMs);
}

function span(start: number, end: number): WindowSpan {
  return { start: start as TimestampMs, end: end as TimestampMs, id: new Date(start).toISOString() };
}

type DatedWindow = Extract<Window, { readonly kind: 'day' | 'week' | 'month' | 'year' }>;

/** The first day of the window, and of the one after it. */
function daysAround(window: DatedWindow, day: number): readonly [number, number] {
  switch (window.kind) {
    case 'day': {
      const first = Math.floor(day / window.count) * window.count;
      return [first, first + window.count];
    }
    case 'week': {
      const first = day - modulo(day + ISO_WEEKDAY_OF_1970 - window.startsOn, 7);
      return [first, first + 7];
    }
    case 'month':
      return monthsAround(day, { count: window.count, startsOn: window.startsOn, phase: 0 });
    case 'year':
      return monthsAround(day, { count: 12, startsOn: 1, phase: window.startsOnMonth - 1 });
  }
}

type MonthGroup = { readonly count: number; readonly startsOn: number; readonly phase: number };

function monthsAround(day: number, { count, startsOn, phase }: MonthGroup): readonly [number, number] {
  const date = new Date(day * DAY_MS);
  const calendarMonth = date.getUTCFullYear() * 12 + date.getUTCMonth();
  const month = day < firstDayOf(calendarMonth, startsOn) ? calendarMonth - 1 : calendarMonth;
  const first = month - modulo(month - phase, count);
  return [firstDayOf(first, startsOn), firstDayOf(first + count, startsOn)];
}

/** @param month months since the year 0 */
function firstDayOf(month: number, startsOn: number): number {
  const year = Math.floor(month / 12);
  const days = new Date(Date.UTC(year, modulo(month, 12) + 1, 0)).getUTCDate();
  return Date.UTC(year, modulo(month, 12), Math.min(startsOn, days)) / DAY_MS;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

/** Since when calls count towards the window of `now`; null for ever. */
export function countsSince(window: Window, now: TimestampMs): TimestampMs | null {
  return window.kind === 'total' ? null : ((windowAt(window, now).start - reachMs(window)) as TimestampMs);
}

/** One text for each window: two windows with the same text are the same. */
export function windowKey(window: Window): string {
  return Object.entries(window)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([field, value]) => `${field}=${value}`)
    .join(',');
}

const DURATION = /^([1-9]\d{0,5})(s|m|h|d|w|mo|y)$/;

/**
 * Reads LiteLLM's `budget_duration` (`30s`, `30m`, `30h`, `30d`, `1mo`). As there, usual lengths follow the calendar: `1d`
 * from midnight, `7d` from Monday, `30d` and `1mo` from the first of the month. `undefined` for any other text.
 */
export function parseBudgetDuration(text: string, zone: string): Window | undefined {
  const [, digits = '', unit = ''] = DURATION.exec(text) ?? [];
  const count = Number(digits);
  switch (unit) {
    case 's':
      return { kind: 'fixed', lengthMs: count * 1000 };
    case 'm':
      return { kind: 'fixed', lengthMs: count * 60_000 };
    case 'h':
      if (count === 1) return { kind: 'hour', zone };
      return count === 24 ? { kind: 'day', count: 1, zone } : { kind: 'fixed', lengthMs: count * HOUR_MS };
    case 'd':
    case 'w':
      return windowOfDays(unit === 'w' ? count * 7 : count, zone);
    case 'mo':
      return { kind: 'month', count, startsOn: 1, zone };
    case 'y':
      return count === 1 ? { kind: 'year', startsOnMonth: 1, zone } : undefined;
    default:
      return undefined;
  }
}

function windowOfDays(count: number, zone: string): Window {
  if (count === 7) return { kind: 'week', startsOn: 1, zone };
  if (count === 30) return { kind: 'month', count: 1, startsOn: 1, zone };
  return { kind: 'day', count, zone };
}

/** The window of now, computed once until it ends: a zone's arithmetic takes some 50 µs. */
export class WindowCursor {
  readonly reachMs: number;
  readonly #window: Window;
  #current: WindowSpan | null = null;

  constructor(window: Window) {
    this.#window = window;
    this.reachMs = reachMs(window);
  }

  at(at: TimestampMs): WindowSpan {
    const current = this.#current;
    if (current !== null && at >= current.start && at < current.end) return current;
    const found = windowAt(this.#window, at);
    invariant(at >= found.start && at < found.end, `a window holds the instant ${at}`);
    // A late call looks back once; the calls after it are of now again.
    if (current === null || found.start > current.start) this.#current = found;
    return found;
  }
}
