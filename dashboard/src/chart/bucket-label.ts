import type { Timeseries } from '../api/analytics.ts';
import { addDays, dayIn, formatDay, formatLongDay, formatMonth, hourIn } from '../time/zone.ts';

export type BucketName = { readonly timestamp: string; readonly date: string };

type Interval = Timeseries['interval'];

/** Under the axis: as short as can be. */
export function shortLabel(bucket: BucketName, interval: Interval, zone: string): string {
  if (interval === 'hour') return hourIn(zone, Date.parse(bucket.timestamp));
  return interval === 'month' ? formatMonth(bucket.date) : formatDay(bucket.date);
}

/** In the tooltip and for screen readers: in full. */
export function longLabel(bucket: BucketName, interval: Interval, zone: string): string {
  const start = Date.parse(bucket.timestamp);
  switch (interval) {
    case 'hour':
      return `${formatDay(dayIn(zone, start))}, ${hourIn(zone, start)} – ${hourIn(zone, start + 3_600_000)}`;
    case 'day':
      return formatLongDay(bucket.date);
    case 'week':
      return `${formatDay(bucket.date)} – ${formatDay(addDays(bucket.date, 6))}`;
    case 'month':
      return formatMonth(bucket.date);
  }
}
