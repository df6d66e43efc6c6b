import type { Timeseries } from '../api/analytics.ts';
import { addDays, dayIn, formatDay, formatLongDay, formatMonth, hourIn } from '../time/zone.ts';

export type BucketName = { readonly timestamp: string; readonly date: string };

const HOUR_MS = 3_600_000;

type Interval = Timeseries['interval'];

/** Under the axis: as short as can be. */
export function shortLabel(bucket: BucketName, interval: Interval, zone: string): string {
  if (interval === 'hour') return hourIn(zone, Date.parse(bucket.timestamp));
  return interval === 'month' ? formatMonth(bucket.date) : formatDay(bucket.date);
}

/** In the tooltip and for screen readers: in full. */
export function longLabel(bucket: BucketName, interval: Interval, zone: string): string {
  if (interval === 'month') return formatMonth(bucket.date);
  if (interval === 'day') return formatLongDay(bucket.date);
  if (interval === 'week') return `${formatDay(bucket.date)} – ${formatDay(addDays(bucket.date, 6))}`;
  const start = Date.parse(bucket.timestamp);
  return `${formatDay(dayIn(zone, start))}, ${hourIn(zone, start)} – ${hourIn(zone, start + HOUR_MS)}`;
}
