import { SUMMED } from '#ledger/store';
import type { TimestampMs } from '#std';
import { UNTAGGED } from '#tags';
import { createBindings, type Bindings } from './bindings.ts';
import { bucketIds, bucketOf, INTERVALS, type Bucket, type Interval } from './calendar.ts';
import { toWireGroups, type WireGroup } from './costs.ts';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { bucketsOf, groupingOf } from './breakdown.ts';
import { parseGroupBy, tagKeyOf, type GroupBy } from './group-by.ts';
import { OTHER, type Grouping } from './grouping.ts';
import { seriesIn, type SeriesPoint } from './series.ts';
import { seriesInSteps } from './series-in-steps.ts';
import {
  fromRowMeasures,
  NO_MEASURES,
  PART_MEASURES,
  sumMeasures,
  toWireMeasures,
  type Measures,
  type WireMeasures,
} from './measures.ts';
import { invalidQuery, parseParameters } from './parameters.ts';
import { textOf } from './reader.ts';
import {
  openReport,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Report,
  type WireAsOf,
  type WireSummary,
} from './report.ts';
import { EVERYTHING } from './summed.ts';

export type TimeseriesQuery = {
  readonly filter: EntryFilter;
  readonly interval: Interval;
  /** Null: one series, the total, with a point for every bucket. */
  readonly groupBy: GroupBy | null;
  /** The dearest so many groups get a series of their own. */
  readonly limit: number;
};

const SERIES = { least: 1, most: 100, otherwise: 8 } as const;

const MOST_BUCKETS = 10_000;

export function parseTimeseriesQuery(query: unknown, now: TimestampMs): TimeseriesQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, 'interval', 'group_by', 'limit']);
  const interval = parameters.oneOf('interval', INTERVALS) ?? 'day';
  const groupText = parameters.text('group_by');
  const groupBy = groupText === undefined ? null : parseGroupBy(groupText);
  const filter = parseFilter(parameters, now, groupBy === null ? undefined : tagKeyOf(groupBy));
  if (groupBy?.kind === 'time') {
    throw invalidQuery(
      'group_by',
      'A time series is by time already.',
      `For the width of its buckets use interval=${groupBy.interval}.`,
    );
  }
  if (bucketIds(filter.period, interval, MOST_BUCKETS) === undefined) {
    throw invalidQuery(
      'interval',
      `The period has more than ${MOST_BUCKETS} buckets of one ${interval}.`,
      'Take a wider interval or a shorter period.',
    );
  }
  return { filter, interval, groupBy, limit: parameters.whole('limit', SERIES) };
}

type WirePoint = WireMeasures & {
  /** The bucket's first instant, UTC. */
  readonly timestamp: string;
  /** The same in the report's time zone: a day, or an hour with its offset. */
  readonly date: string;
  readonly value?: string;
  readonly untagged?: boolean;
  readonly other?: boolean;
};

export type TimeseriesAnswer = {
  readonly interval: Interval;
  readonly data: readonly WirePoint[];
  readonly groups: readonly WireGroup[];
  readonly summary: WireSummary;
  readonly overlapping: boolean;
  readonly as_of: WireAsOf;
};

export async function timeseries(
  deps: AnalyticsDeps,
  query: TimeseriesQuery,
  signal?: AbortSignal,
): Promise<TimeseriesAnswer> {
  const report = openReport(deps, query.filter, signal);
  const { groupBy, interval } = query;
  if (groupBy === null) {
    const points = await totalPoints(report, interval);
    return {
      ...frame(query, report),
      data: points.map(({ bucket, measures }) => ({ ...toWireBucket(bucket), ...toWireMeasures(measures) })),
      groups: [],
      summary: toWireSummary(sumMeasures(points.map(({ measures }) => measures)), query.filter),
      overlapping: false,
    };
  }
  const ask = {
    groupingFor: (bindings: Bindings): Grouping => groupingOf(groupBy, report, bindings),
    time: bucketsOf(interval, report.filter.period),
    limit: query.limit,
  };
  const { groups, points, cut, total } = (await seriesIn(report, ask)) ?? (await seriesInSteps(report, ask));
  const { overlapping } = ask.groupingFor(createBindings());
  const values = new Map(groups.map(({ id, fields }) => [id, fields.value]));
  return {
    ...frame(query, report),
    data: points.map((point) => toWirePoint(point, query, values)),
    groups: toWireGroups({ groups, aside: undefined, cut }, total, overlapping ? 'overlap' : 'partition'),
    summary: toWireSummary(total, query.filter),
    overlapping,
  };
}

function frame({ interval }: TimeseriesQuery, { asOf }: Report): { interval: Interval; as_of: WireAsOf } {
  return { interval, as_of: toWireAsOf(asOf) };
}

type TotalPoint = { readonly bucket: Bucket; readonly measures: Measures };

/** A point for every bucket of the period: where nothing was spent, zero. */
async function totalPoints(report: Report, interval: Interval): Promise<readonly TotalPoint[]> {
  const { period } = report.filter;
  const asked = { source: EVERYTHING, time: bucketsOf(interval, period), summed: SUMMED };
  const rows = await report.parts(
    asked,
    (from) => `SELECT toString(t) AS bucket, ${PART_MEASURES} ${from} GROUP BY t ORDER BY t`,
  );
  const points = new Map((bucketIds(period, interval, MOST_BUCKETS) ?? []).map((id) => [id, NO_MEASURES]));
  for (const row of rows) points.set(textOf(row, 'bucket'), fromRowMeasures(row));
  return Array.from(points, ([id, measures]) => ({
    bucket: bucketOf(id, interval, period.timeZone),
    measures,
  })).toSorted((left, right) => left.bucket.startMs - right.bucket.startMs);
}

function toWirePoint(
  { bucket, of, measures }: SeriesPoint,
  { interval, filter }: TimeseriesQuery,
  values: ReadonlyMap<string | null, string>,
): WirePoint {
  return {
    ...toWireBucket(bucketOf(bucket, interval, filter.period.timeZone)),
    value: of === undefined ? OTHER : (values.get(of) ?? UNTAGGED),
    untagged: of === null,
    other: of === undefined,
    ...toWireMeasures(measures),
  };
}

function toWireBucket(bucket: { readonly startMs: number; readonly date: string }): {
  timestamp: string;
  date: string;
} {
  return { timestamp: new Date(bucket.startMs).toISOString(), date: bucket.date };
}
