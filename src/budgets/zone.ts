import { zoneOffsetMs } from '#std';

/** Calendar arithmetic in a named time zone. A day is its number since 1970-01-01 on the local calendar. */

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

export function dayAt(instant: number, zone: string): number {
  return Math.floor((instant + zoneOffsetMs(instant, zone)) / DAY_MS);
}

/**
 * The first instant of a local day. Where the clock jumps over midnight it is the instant of the jump; where midnight is
 * there twice, the first of the two.
 */
export function startOfDay(day: number, zone: string): number {
  const wall = day * DAY_MS;
  const candidates = [zoneOffsetMs(wall - DAY_MS, zone), zoneOffsetMs(wall + DAY_MS, zone)]
    .map((offset) => wall - offset)
    .toSorted((left, right) => left - right);
  const [earlier = wall, later = wall] = candidates;
  if (earlier + zoneOffsetMs(earlier, zone) >= wall && dayAt(earlier - 1, zone) < day) return earlier;
  if (dayAt(later - 1, zone) < day) return later;
  // The midnight itself does not exist: the day begins where the offset changes.
  return changeBetween(earlier, later, zone);
}

/** The first instant after `from` whose offset is not that of `from`; there must be one at or before `to`. */
function changeBetween(from: number, to: number, zone: string): number {
  const before = zoneOffsetMs(from, zone);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zoneOffsetMs(middle, zone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The hour of the local clock an instant lies in. A change by whole hours falls between two of them; one by less (Lord Howe
 * Island) cuts an hour in two.
 */
export function hourAround(instant: number, zone: string): { readonly start: number; readonly end: number } {
  const offset = zoneOffsetMs(instant, zone);
  const start = Math.floor((instant + offset) / HOUR_MS) * HOUR_MS - offset;
  const end = start + HOUR_MS;
  const cuts = (other: number): boolean => (other - offset) % HOUR_MS !== 0;
  return {
    start: cuts(zoneOffsetMs(start, zone)) ? changeBetween(start, instant, zone) : start,
    end: cuts(zoneOffsetMs(end - 1, zone)) ? changeBetween(instant, end, zone) : end,
  };
}

/** `YYYY-MM-DD` of a local day. */
export function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
