import { SUMMED } from '#ledger/store';
import { createBindings, type Bindings } from './bindings.ts';
import { fromRowMeasures, PART_MEASURES, sumMeasures, type Measures } from './measures.ts';
import { countOf, textOf, type Row } from './reader.ts';
import { groupsOf, totalOf, type Group, type Report } from './report.ts';
import type { Series, SeriesAsk, SeriesPoint } from './series.ts';

/** A time series of any number of groups: the dearest first, and then the points of those and of all the rest together. */
export async function seriesInSteps(report: Report, ask: SeriesAsk): Promise<Series> {
  const { overlapping } = ask.groupingFor(createBindings());
  // Points of a partition are all there is; those of an overlapping breakdown count some calls twice and leave others out.
  const measured = overlapping ? 'all' : 'cost';
  const found = await groupsOf(report, ask.groupingFor, { limit: ask.limit, measured });
  const points = await pointsOf(report, ask, found.groups);
  return {
    groups: overlapping ? found.groups : found.groups.map((group) => measuredBy(points, group)),
    points,
    cut: !overlapping && (found.cut || found.aside !== undefined),
    total: overlapping ? await totalOf(report) : sumMeasures(points.map(({ measures }) => measures)),
  };
}

/** The group with what its points come to. */
function measuredBy(points: readonly SeriesPoint[], group: Group): Group {
  const own: readonly Measures[] = points.filter(({ of }) => of === group.id).map(({ measures }) => measures);
  return { ...group, measures: sumMeasures(own) };
}

const UNTAGGED = -1;
const REST = 0;

/** One point per bucket and series that has entries. What has no series of its own is folded into one. */
async function pointsOf(
  report: Report,
  { groupingFor, time }: SeriesAsk,
  groups: readonly Group[],
): Promise<readonly SeriesPoint[]> {
  const ids = groups.flatMap(({ id }) => (id === null ? [] : [id]));
  const { source, overlapping } = groupingFor(createBindings());
  // Rows of an overlapping breakdown beyond the limit are left out: a sum of them would count calls twice.
  const having = overlapping ? `HAVING s != ${REST}` : '';
  const rows = await report.parts(
    { source, time, summed: SUMMED },
    (from, bindings) => `WITH ${groupingFor(bindings).key} AS k, ${seriesOf(ids, bindings)} AS s
      SELECT toString(t) AS bucket, s AS series, ${PART_MEASURES} ${from} GROUP BY t, s ${having} ORDER BY t, s`,
  );
  return rows.map((row) => toPoint(row, ids));
}

/** The number of the series an entry belongs to. `transform` looks at each different value once, where columns know those. */
function seriesOf(ids: readonly string[], { bind }: Bindings): string {
  const numbers = ids.map((_, at) => at + 1).join(', ');
  const named = ids.length === 0 ? REST : `transform(k, ${bind('Array(String)', ids)}, [${numbers}], ${REST})`;
  return `if(isNull(k), toInt32(${UNTAGGED}), assumeNotNull(toInt32(${named})))`;
}

function toPoint(row: Row, ids: readonly string[]): SeriesPoint {
  const series = countOf(row, 'series');
  return {
    bucket: textOf(row, 'bucket'),
    of: series === UNTAGGED ? null : ids[series - 1],
    measures: fromRowMeasures(row),
  };
}
