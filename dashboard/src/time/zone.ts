import { nowMs } from './clock.ts';

/** The browser's own zone, or UTC where it does not tell. */
export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

export function isZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export function allZones(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
}

/** The calendar day of an instant in a zone, `2026-11-03`. */
export function dayIn(zone: string, atMs: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
    atMs,
  );
}

/** `09:41:07`. */
export function timeIn(zone: string, atMs: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'medium' }).format(atMs);
}

/** `Nov 3, 09:41:07`, or the time alone when it is of the day given. */
export function stampIn(zone: string, atMs: number, today: string): string {
  if (dayIn(zone, atMs) === today) return timeIn(zone, atMs);
  return `${formatDay(dayIn(zone, atMs))}, ${timeIn(zone, atMs)}`;
}

/** `Nov 3`, and with its year when that is not the present one. */
export function dateIn(zone: string, atMs: number): string {
  const day = dayIn(zone, atMs);
  const year = day.slice(0, 4);
  return dayIn(zone, nowMs()).startsWith(year) ? formatDay(day) : `${formatDay(day)}, ${year}`;
}

/** `Nov 3, 09:41`. */
export function minuteIn(zone: string, atMs: number): string {
  return `${dateIn(zone, atMs)}, ${hourIn(zone, atMs)}`;
}

/** `09:00` of the hour that begins then. */
export function hourIn(zone: string, atMs: number): string {
  return new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(atMs);
}

/** `2026-11-03` → `Nov 3`. Days are calendar words, so they are read in UTC and never shift. */
export function formatDay(day: string): string {
  return new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric' }).format(utcMs(day));
}

/** `2026-11-03` → `Tue, Nov 3, 2026`. */
export function formatLongDay(day: string): string {
  const options = { timeZone: 'UTC', weekday: 'short', month: 'short', day: 'numeric', year: 'numeric' } as const;
  return new Intl.DateTimeFormat('en-US', options).format(utcMs(day));
}

/** `2026-11` → `Nov 2026`. */
export function formatMonth(day: string): string {
  return new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', year: 'numeric' }).format(utcMs(day));
}

/** The first instant of a day in a zone. */
export function startOfDayMs(zone: string, day: string): number {
  const wall = utcMs(day);
  // Twice: the offset of the guess may be that of the other side of a clock change.
  const guess = wall - offsetMs(zone, wall);
  return wall - offsetMs(zone, guess);
}

function offsetMs(zone: string, atMs: number): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const name = format.formatToParts(atMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0'] = /^GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

export function addDays(day: string, days: number): string {
  return new Date(utcMs(day) + days * 86_400_000).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((utcMs(to) - utcMs(from)) / 86_400_000);
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(utcMs(text)) && addDays(text, 0) === text;
}

function utcMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
