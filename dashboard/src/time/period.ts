import { addDays, dayIn, daysBetween, formatDay } from './zone.ts';

export const RANGES = ['today', '7d', '30d', 'mtd', 'custom'] as const;

export type Range = (typeof RANGES)[number];

export type Interval = 'hour' | 'day' | 'week' | 'month';

/** Both days included, in the zone they were computed for. */
export type Period = { readonly start: string; readonly end: string; readonly interval: Interval };

export type RangeChoice = { readonly range: Range; readonly from: string; readonly to: string; readonly tz: string };

export const RANGE_LABELS: Readonly<Record<Range, string>> = {
  today: 'Today',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  mtd: 'Month to date',
  custom: 'Custom range',
};

const MOST_DAYS_BY_HOUR = 2;
const MOST_DAYS_BY_DAY = 92;
const MOST_DAYS_BY_WEEK = 400;

export function periodOf(choice: RangeChoice, nowMs: number): Period {
  const today = dayIn(choice.tz, nowMs);
  switch (choice.range) {
    case 'today':
      return { start: today, end: today, interval: 'hour' };
    case '7d':
      return withInterval(addDays(today, -6), today);
    case '30d':
      return withInterval(addDays(today, -29), today);
    case 'mtd':
      return withInterval(`${today.slice(0, 8)}01`, today);
    case 'custom':
      return choice.from <= choice.to ? withInterval(choice.from, choice.to) : withInterval(choice.to, choice.from);
  }
}

export function describeRange(choice: RangeChoice): string {
  if (choice.range !== 'custom') return RANGE_LABELS[choice.range];
  return choice.from === choice.to ? formatDay(choice.from) : `${formatDay(choice.from)} – ${formatDay(choice.to)}`;
}

function withInterval(start: string, end: string): Period {
  const days = daysBetween(start, end) + 1;
  if (days <= MOST_DAYS_BY_HOUR) return { start, end, interval: 'hour' };
  if (days <= MOST_DAYS_BY_DAY) return { start, end, interval: 'day' };
  return { start, end, interval: days <= MOST_DAYS_BY_WEEK ? 'week' : 'month' };
}
