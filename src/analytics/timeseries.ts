import type { TimestampMs } from '#std';
import { UNTAGGED } from '#tags';
import { createBindings, type Bindings } from './bindings.ts';
import { bucketIds, bucketOf, INTERVALS, type Bucket, type Interval } from './calendar.ts';
import { toWireGroups, type WireGroup } from './costs.ts';
import { FILTER_PARAMETERS, parseFilter, type EntryFilter } from './filter.ts';
import { bucketKey, groupingOf } from './breakdown.ts';
import { parseGroupBy, tagKeyOf, type GroupBy } from './group-by.ts';
import { OTHER, type Grouping } from './grouping.ts';
import {
  fromRowMeasures,
  MEASURE_COLUMNS,
  NO_MEASURES,
  sumMeasures,
  toWireMeasures,
  type Measures,
  type WireMeasures,
} from './measures.ts';
import { invalidQuery, parseParameters } from './parameters.ts';
import { countOf, textOf, type Row } from './reader.ts';
import {
  groupsOf,
  openReport,
  sourceOf,
  totalOf,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Group,
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
  const groupingFor = (bindings: Bindings): Grouping => groupingOf(groupBy, report, bindings);
  const { overlapping } = groupingFor(createBindings());
  // Points of a partition are all there is; those of an overlapping breakdown count some calls twice and leave others out.
  const measured = overlapping ? 'all' : 'cost';
  const found = await groupsOf(report, groupingFor, { limit: query.limit, measured });
  const rows = await groupPoints(report, { interval, groupingFor, groups: found.groups, overlapping });
  const total = overlapping ? await totalOf(report) : sumMeasures(rows.map(({ measures }) => measures));
  const groups = overlapping ? found : { ...found, groups: found.groups.map((group) => measuredBy(rows, group)) };
  return {
    ...frame(query, report),
    data: rows.map(({ wire }) => wire),
    groups: toWireGroups(groups, total, overlapping ? 'overlap' : 'partition').filter(
      (row) => !overlapping || !row.other,
    ),
    summary: toWireSummary(total, query.filter),
    overlapping,
  };
}

/** The group with what its points come to. */
function measuredBy(rows: readonly GroupPoint[], group: Group): Group {
  return { ...group, measures: sumMeasures(rows.filter(({ of }) => of === group.id).map(({ measures }) => measures)) };
}

function frame({ interval }: TimeseriesQuery, { asOf }: Report): { interval: Interval; as_of: WireAsOf } {
  return { interval, as_of: toWireAsOf(asOf) };
}

type TotalPoint = { readonly bucket: Bucket; readonly measures: Measures };

/** A point for every bucket of the period: where nothing was spent, zero. */
async function totalPoints(report: Report, interval: Interval): Promise<readonly TotalPoint[]> {
  const { period } = report.filter;
  const rows = await report.sums(EVERYTHING, (from, { bind }) => {
    const key = bucketKey(interval, bind('String', period.timeZone));
    return `WITH ${key} AS b SELECT toString(b) AS bucket, ${MEASURE_COLUMNS} ${from} GROUP BY b ORDER BY b`;
  });
  const points = new Map((bucketIds(period, interval, MOST_BUCKETS) ?? []).map((id) => [id, NO_MEASURES]));
  for (const row of rows) points.set(textOf(row, 'bucket'), fromRowMeasures(row));
  return Array.from(points, ([id, measures]) => ({
    bucket: bucketOf(id, interval, period.timeZone),
    measures,
  })).toSorted((left, right) => left.bucket.startMs - right.bucket.startMs);
}

const SERIES_UNTAGGED = -1;
const SERIES_OTHER = 0;

type GroupPointsAsk = {
  readonly interval: Interval;
  readonly groupingFor: (bindings: Bindings) => Grouping;
  readonly groups: readonly Group[];
  readonly overlapping: boolean;
};

/** `of`: the group it is of, null for what has no value, undefined for what has no series. */
type GroupPoint = { readonly wire: WirePoint; readonly measures: Measures; readonly of: string | null | undefined };

/** One point per bucket and series that has entries. What has no series of its own is folded into `(other)`. */
async function groupPoints(report: Report, ask: GroupPointsAsk): Promise<readonly GroupPoint[]> {
  const { timeZone } = report.filter.period;
  const ids = ask.groups.flatMap(({ id }) => (id === null ? [] : [id]));
  const { source: read } = ask.groupingFor(createBindings());
  const sqlOver = (from: string, bindings: Bindings): string => {
    // Rows of an overlapping breakdown beyond the limit are left out: a sum of them would count calls twice.
    const having = ask.overlapping ? `HAVING s != ${SERIES_OTHER}` : '';
    const grouping = ask.groupingFor(bindings);
    const bucket = bucketKey(ask.interval, bindings.bind('String', timeZone));
    const { measures, source } = sourceOf(grouping, from, [`${bucket} AS b`]);
    const computed = grouping.foldedBy === undefined ? `${bucket} AS b, ` : '';
    return `WITH ${computed}${grouping.key} AS k, ${seriesOf(ids, bindings)} AS s
      SELECT toString(b) AS bucket, s AS series, ${measures} ${source} GROUP BY b, s ${having} ORDER BY b, s`;
  };
  const rows = await (read === undefined ? report.rows(sqlOver) : report.sums(read, sqlOver));
  const values = new Map(
    ask.groups.map((group) => [group.id === null ? SERIES_UNTAGGED : ids.indexOf(group.id) + 1, group.fields.value]),
  );
  return rows.map((row) => toGroupPoint(row, { ...ask, timeZone, values, ids }));
}

/** The number of the series an entry belongs to. `transform` looks at each different value once, where columns know those. */
function seriesOf(ids: readonly string[], { bind }: Bindings): string {
  const numbers = ids.map((_, at) => at + 1).join(', ');
  const named =
    ids.length === 0 ? SERIES_OTHER : `transform(k, ${bind('Array(String)', ids)}, [${numbers}], ${SERIES_OTHER})`;
  return `if(isNull(k), toInt32(${SERIES_UNTAGGED}), assumeNotNull(toInt32(${named})))`;
}

function toGroupPoint(
  row: Row,
  context: {
    readonly interval: Interval;
    readonly timeZone: string;
    readonly values: ReadonlyMap<number, string>;
    readonly ids: readonly string[];
  },
): GroupPoint {
  const series = countOf(row, 'series');
  const measures = fromRowMeasures(row);
  const wire = {
    ...toWireBucket(bucketOf(textOf(row, 'bucket'), context.interval, context.timeZone)),
    value: series === SERIES_OTHER ? OTHER : (context.values.get(series) ?? UNTAGGED),
    untagged: series === SERIES_UNTAGGED,
    other: series === SERIES_OTHER,
    ...toWireMeasures(measures),
  };
  return { wire, measures, of: series === SERIES_UNTAGGED ? null : context.ids[series - 1] };
}

function toWireBucket(bucket: { readonly startMs: number; readonly date: string }): {
  timestamp: string;
  date: string;
} {
  return { timestamp: new Date(bucket.startMs).toISOString(), date: bucket.date };
}
