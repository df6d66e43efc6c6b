import { addUsd, formatUsd, parseUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import type { Timeseries } from '../api/analytics.ts';
import { coloursFor } from './colour-memory.ts';

export type SeriesKind = 'value' | 'other' | 'untagged';

export type Series = {
  readonly value: string;
  readonly kind: SeriesKind;
  readonly colour: string;
};

type Cell = { readonly cost: number; readonly exact: string };

export type Bucket = {
  readonly timestamp: string;
  readonly date: string;
  readonly total: Cell;
  readonly requests: number;
  /** One per series, in their order. */
  readonly cells: readonly Cell[];
};

export type SpendData = {
  readonly interval: Timeseries['interval'];
  readonly series: readonly Series[];
  readonly buckets: readonly Bucket[];
  /** A call may be in several series: they are drawn beside each other, not on top of each other. */
  readonly overlapping: boolean;
};

type Point = Timeseries['data'][number];

/** @param whole one point per bucket, empty ones included @param parts the same split into series */
export function spendData(whole: Timeseries, parts: Timeseries): SpendData {
  const series = seriesOf(parts);
  const byBucket = Map.groupBy(parts.data, (point) => point.timestamp);
  return {
    interval: whole.interval,
    series,
    overlapping: parts.overlapping,
    buckets: whole.data.map((point) => ({
      timestamp: point.timestamp,
      date: point.date,
      total: { cost: point.total_cost, exact: point.total_cost_exact },
      requests: point.total_events,
      cells: series.map(({ value }) => cellOf(value, byBucket.get(point.timestamp) ?? [])),
    })),
  };
}

/** Named values first, dearest first; then the rest, and on top what carries no tag. */
function seriesOf({ groups }: Timeseries): readonly Series[] {
  const named = distinct(groups.filter((group) => !group.untagged && !group.other).map((group) => group.value));
  const colours = coloursFor(named);
  const other = groups.filter((group) => group.other).map((group) => group.value);
  const untagged = groups.filter((group) => group.untagged).map((group) => group.value);
  return [
    ...named.map((value): Series => ({ value, kind: 'value', colour: colours.get(value) ?? 'var(--series-other)' })),
    ...other.map((value): Series => ({ value, kind: 'other', colour: 'var(--series-other)' })),
    ...untagged.map((value): Series => ({ value, kind: 'untagged', colour: 'var(--series-untagged)' })),
  ];
}

/** Two keys of one name are one series: a colour cannot tell them apart. */
function cellOf(value: string, points: readonly Point[]): Cell {
  const total = points
    .filter((point) => point.value === value)
    .reduce((sum, point) => addUsd(sum, spent(point)), ZERO_USD);
  return { cost: usdNumber(total), exact: formatUsd(total) };
}

function spent(point: Point): PicoUsd {
  const amount = parseUsd(point.total_cost_exact);
  if (amount === undefined) throw new TypeError(`"${point.total_cost_exact}" is no amount of money`);
  return amount;
}

function distinct(values: readonly string[]): readonly string[] {
  return Array.from(new Set(values));
}
