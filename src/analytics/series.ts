import { refusingMore, saysTooManyGroups, SUMMED } from '#ledger/store';
import { createBindings, type Bindings } from './bindings.ts';
import { extraColumns, OTHER, type Grouping } from './grouping.ts';
import { fromRowMeasures, measuresOf, sumMeasures, type Measures } from './measures.ts';
import type { TimeTold } from './parts.ts';
import { countOf, textOf, textOrNull, type Row } from './reader.ts';
import { dearestFirst, type Group, type Report } from './report.ts';

export type SeriesAsk = {
  readonly groupingFor: (bindings: Bindings) => Grouping;
  /** The buckets. */
  readonly time: TimeTold;
  /** The dearest so many groups get a series of their own. */
  readonly limit: number;
};

/** `of`: the group it is of, null for what has no value, undefined for what has no series. */
export type SeriesPoint = {
  readonly bucket: string;
  readonly of: string | null | undefined;
  readonly measures: Measures;
};

export type Series = {
  readonly groups: readonly Group[];
  /** By time. Of overlapping groups without what has no series: a sum of it would count calls twice. */
  readonly points: readonly SeriesPoint[];
  /** True where a part of the total has no series. */
  readonly cut: boolean;
  /** Each call once. */
  readonly total: Measures;
};

const UNTAGGED = -1;
const REST = 0;
const ALL = -2;

/** In the place of a group, for all of it. No label has such a character. */
const ALL_KEY = "'\\0all'";

/** More groups and buckets than these take longer to be ordered in the engine than to be asked for in two steps. */
const MOST_POINTS = 50_000;

/**
 * All of a time series in one statement: sums by group and bucket and by group, of which the dearest groups stay as they are. Entries are read
 * once instead of once to know the dearest groups and once for their points. Null where there are too many groups for that.
 */
export async function seriesIn(report: Report, ask: SeriesAsk): Promise<Series | null> {
  const grouping = ask.groupingFor(createBindings());
  const { source } = grouping;
  try {
    const sql = (from: string, bindings: Bindings): string => statement(ask, from, bindings);
    return toSeries(await report.parts({ source, time: ask.time, summed: SUMMED, most: MOST_POINTS }, sql), grouping);
  } catch (error) {
    if (saysTooManyGroups(error)) return null;
    throw error;
  }
}

/** Groups and buckets with their place, put together by series: each by bucket, and as a whole. */
function statement(ask: SeriesAsk, from: string, bindings: Bindings): string {
  const { extras, overlapping } = ask.groupingFor(createBindings());
  return `SELECT toInt32(s) AS series, grouping(b) = 1 AS is_all, if(is_all, '', toString(b)) AS bucket, any(k_text) AS id,
      ${measuresOf('sums')}${extraColumns(extras, 'merged')}
    FROM (SELECT *, multiIf(isNull(k_text), ${UNTAGGED}, k_text = ${ALL_KEY}, ${ALL}, apart, ${REST}, place <= ${bindings.bind('UInt32', ask.limit)}, toInt32(place), ${REST}) AS s
      FROM (SELECT *, dense_rank() OVER (PARTITION BY apart ORDER BY of_group DESC, k_text) AS place
        FROM (SELECT *, isNull(k_text) OR k_text IN ('${OTHER}', ${ALL_KEY}) AS apart, sum(sums[1]) OVER (PARTITION BY k_text) AS of_group
          FROM (${groupsSql(ask.groupingFor(bindings), from)}))))
    GROUP BY GROUPING SETS ((s, b), (s)) ${overlapping ? `HAVING s != ${REST}` : ''} ORDER BY is_all, bucket, s`;
}

/** A row for each group and bucket, as `k_text` and `b`. */
function groupsSql({ key, keys, extras }: Grouping, from: string): string {
  const withAll = keys === undefined ? key : `arrayJoin(arrayConcat(${keys}, [${ALL_KEY}]))`;
  return `WITH ${withAll} AS k SELECT toString(k) AS k_text, t AS b, sumForEach(part) AS sums${extraColumns(extras, 'part')}
    ${from} GROUP BY k, b${refusingMore(MOST_POINTS)}`;
}

function toSeries(rows: readonly Row[], grouping: Grouping): Series {
  const found = rows.map((row) => ({ row, series: countOf(row, 'series'), isAll: countOf(row, 'is_all') === 1 }));
  const whole = found.filter(({ isAll }) => isAll);
  const ids = new Map<number, string | null>();
  const groups = whole
    .filter(({ series }) => series !== REST && series !== ALL)
    .map(({ row, series }): Group => {
      const id = textOrNull(row, 'id');
      ids.set(series, id);
      return { id, fields: grouping.fields(id, extrasOf(row, grouping)), measures: fromRowMeasures(row) };
    });
  const totals = whole.filter(({ series }) => !grouping.overlapping || series === ALL);
  return {
    groups: dearestFirst(groups),
    points: found
      .filter(({ isAll, series }) => !isAll && series !== ALL)
      .map(({ row, series }) => ({
        bucket: textOf(row, 'bucket'),
        of: ids.get(series),
        measures: fromRowMeasures(row),
      })),
    cut: whole.some(({ series }) => series === REST),
    total: sumMeasures(totals.map(({ row }) => fromRowMeasures(row))),
  };
}

/** The row as the breakdown named its columns. */
function extrasOf(row: Row, { extras }: Grouping): Row {
  return Object.fromEntries(extras.map(({ as }) => [as, row[`of_${as}`]]));
}
