import { addDays, dayIn, daysBetween, formatDay } from './zone.ts';

export const RANGES = ['today', '7d', '30d', 'mtd', 'custom'] as const;

export type Range = (typeof RANGES)[number];

type Interval = 'hour' | 'day' | 'week' | 'month';

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

const FIRST_DAY: Readonly<Record<Exclude<Range, 'custom'>, (today: string) => string>> = {
  today: (today) => today,
  '7d': (today) => addDays(today, -6),
  '30d': (today) => addDays(today, -29),
  mtd: (today) => `${today.slice(0, 8)}01`,
};

export function periodOf({ range, from, to, tz }: RangeChoice, nowMs: number): Period {
  if (range === 'custom') return from <= to ? withInterval(from, to) : withInterval(to, from);
  const today = dayIn(tz, nowMs);
  return withInterval(FIRST_DAY[range](today), today);
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
