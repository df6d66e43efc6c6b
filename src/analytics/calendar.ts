import { UNITS_MS, type Unit } from '#ledger/store';
import { zoneOffsetMs } from '#std';

/** Calendar arithmetic in a named time zone. Dates are `YYYY-MM-DD`; instants are milliseconds since 1970, UTC. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const INTERVALS = ['hour', 'day', 'week', 'month'] as const;

export type Interval = (typeof INTERVALS)[number];

/** True for a day that exists: `2024-02-29`, not `2025-02-29`. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && addDays(text, 0) === text;
}

/** NaN dates give an empty string, so that no invalid date equals itself. */
export function addDays(date: string, days: number): string {
  const ms = Date.parse(`${date}T00:00:00Z`) + days * DAY_MS;
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);
}

/** The local date an instant falls on. */
export function dateOf(instant: number, timeZone: string): string {
  return new Date(instant + zoneOffsetMs(instant, timeZone)).toISOString().slice(0, 10);
}

/**
 * The first instant of a local time of day. Where the clock jumps over it, the instant of the jump; where it is repeated,
 * the first of the two.
 */
export function instantOfLocal(local: string, timeZone: string): number {
  const wall = Date.parse(`${local}Z`);
  const candidates = [zoneOffsetMs(wall - DAY_MS, timeZone), zoneOffsetMs(wall + DAY_MS, timeZone)]
    .map((offset) => wall - offset)
    .toSorted((left, right) => left - right);
  const reached = candidates.find((instant) => instant + zoneOffsetMs(instant, timeZone) >= wall);
  return reached ?? Math.max(...candidates);
}

export function startOfDate(date: string, timeZone: string): number {
  return instantOfLocal(`${date}T00:00:00.000`, timeZone);
}

/** A bucket of a time series: its id as the store groups it, where it starts, and how it is written locally. */
export type Bucket = { readonly id: string; readonly startMs: number; readonly date: string };

/** The bucket an id of the store stands for: a date, or for hours the seconds since 1970 of its start. */
export function bucketOf(id: string, interval: Interval, timeZone: string): Bucket {
  if (interval !== 'hour') return { id, startMs: startOfDate(id, timeZone), date: id };
  const startMs = Number(id) * 1000;
  return { id, startMs, date: localHour(startMs, timeZone) };
}

function localHour(instant: number, timeZone: string): string {
  const offset = zoneOffsetMs(instant, timeZone);
  const local = new Date(instant + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const minutes = Math.abs(offset) / 60_000;
  const clock = [Math.floor(minutes / 60), Math.floor(minutes % 60)].map((part) => String(part).padStart(2, '0'));
  return `${local}${offset < 0 ? '-' : '+'}${clock.join(':')}`;
}

/** The ids of all buckets that touch `[startMs, endMs)`, in order; `undefined` when there are more than `most`. */
export function bucketIds(period: ZonedTime, interval: Interval, most: number): readonly string[] | undefined {
  if (interval === 'hour') return hourIds(period, most);
  const ids: string[] = [];
  const { startMs, endMs, timeZone } = period;
  const last = dateOf(endMs - 1, timeZone);
  for (let date = firstDate(dateOf(startMs, timeZone), interval); date <= last; date = nextDate(date, interval)) {
    if (ids.push(date) > most) return undefined;
  }
  return ids;
}

/** Local hours: where the clock changes in the middle of one, another begins there. */
function hourIds(period: ZonedTime, most: number): readonly string[] | undefined {
  const { startMs, endMs } = period;
  if (endMs - startMs > (most + 1) * HOUR_MS) return undefined;
  const spans = offsetsIn(period);
  const ids: string[] = [];
  for (const [place, { fromMs, offsetMs }] of spans.entries()) {
    const end = Math.min(endMs, spans[place + 1]?.fromMs ?? endMs);
    if (end <= startMs) continue;
    for (let hour = startOfHour(Math.max(startMs, fromMs), offsetMs); hour < end; hour += HOUR_MS) {
      if (ids.push(String(Math.max(hour, fromMs) / 1000)) > most) return undefined;
    }
  }
  return ids;
}

function startOfHour(instant: number, offsetMs: number): number {
  return Math.floor((instant + offsetMs) / HOUR_MS) * HOUR_MS - offsetMs;
}

/** Where the type of the column `quarter` ends, in 2106. */
export const LAST_QUARTER_MS = 2 ** 32 * 1000;

type ZonedTime = { readonly startMs: number; readonly endMs: number; readonly timeZone: string };

/** A time in which a zone is ahead of UTC by the same, from its first quarter of an hour to the next one's. */
export type OffsetSpan = { readonly fromMs: number; readonly offsetMs: number };

/** No zone has changed its clock twice within fewer days than these. */
const STEP_DAYS = 5;

/** By how much a zone is ahead of UTC from the day before a time to the day after it, in order. */
export function offsetsIn({ startMs, endMs, timeZone }: ZonedTime): readonly OffsetSpan[] {
  const first = Math.floor(startMs / DAY_MS - 1) * DAY_MS;
  const spans = [{ fromMs: first, offsetMs: zoneOffsetMs(first, timeZone) }];
  if (timeZone === 'UTC') return spans;
  let offsetMs = zoneOffsetMs(first, timeZone);
  for (let at = first; at < Math.min(endMs + DAY_MS, LAST_QUARTER_MS); at += STEP_DAYS * DAY_MS) {
    const next = at + STEP_DAYS * DAY_MS;
    const later = zoneOffsetMs(next, timeZone);
    if (later !== offsetMs) spans.push({ fromMs: changeBetween(at, next, timeZone), offsetMs: later });
    offsetMs = later;
  }
  return spans;
}

/** The first quarter of an hour that has the offset of `after`, and not that of `before`. */
function changeBetween(before: number, after: number, timeZone: string): number {
  const offsetMs = zoneOffsetMs(after, timeZone);
  let [low, high] = [before, after];
  while (high - low > UNITS_MS.quarter) {
    const middle = low + Math.floor((high - low) / UNITS_MS.quarter / 2) * UNITS_MS.quarter;
    if (zoneOffsetMs(middle, timeZone) === offsetMs) high = middle;
    else low = middle;
  }
  return high;
}

/** The coarsest unit of time, counted in UTC, that lies within one bucket always: a day of New York is made of hours, one of Kathmandu of quarters. */
export function unitWithin(interval: Interval, spans: readonly OffsetSpan[]): Unit {
  const changes = spans.slice(1).map(({ fromMs }) => fromMs);
  return coarsestUnit(interval === 'hour' ? 'hour' : 'day', [...spans.map(({ offsetMs }) => offsetMs), ...changes]);
}

/** The coarsest unit up to `most` that all of these are whole ones of. */
export function coarsestUnit(most: Unit, lengthsMs: readonly number[]): Unit {
  const units = (['day', 'hour'] as const).filter((unit) => UNITS_MS[unit] <= UNITS_MS[most]);
  return units.find((unit) => lengthsMs.every((ms) => ms % UNITS_MS[unit] === 0)) ?? 'quarter';
}

/** Weeks start on Monday (ISO 8601). */
function firstDate(date: string, interval: Exclude<Interval, 'hour'>): string {
  if (interval === 'day') return date;
  if (interval === 'month') return `${date.slice(0, 7)}-01`;
  const sinceMonday = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(date, -sinceMonday);
}

function nextDate(date: string, interval: Exclude<Interval, 'hour'>): string {
  if (interval === 'day') return addDays(date, 1);
  if (interval === 'week') return addDays(date, 7);
  return `${addDays(`${date.slice(0, 7)}-01`, 31).slice(0, 7)}-01`;
}
