import { isoOf } from './event.ts';
import { fromRowMeasures, lessMeasures, MEASURE_COLUMNS, NO_MEASURES, sumMeasures, type Measures } from './measures.ts';
import { textOf, type Row } from './reader.ts';
import type { Report } from './report.ts';
import { toWireSessionMeasures, type WireSessionMeasures } from './session-row.ts';

/** A step of a run with all below it. `direct` is what was spent by calls of exactly this step. */
export type WireStep = WireSessionMeasures & {
  /** `plan/search`; null for the whole session. */
  readonly path: string | null;
  /** The last segment, `search`; null for the whole session. */
  readonly step: string | null;
  readonly first_at: string;
  readonly last_at: string;
  readonly direct: WireSessionMeasures;
  /** In the order they began. */
  readonly children: readonly WireStep[];
};

type Step = {
  readonly path: string | null;
  readonly children: Map<string, Step>;
  direct: Measures;
  firstAt: string;
  lastAt: string;
};

/** Steps shown at most, the dearest; what more there is counts as directly spent by the session. */
const MOST_STEPS = 10_000;

/**
 * The tree of a session's steps: every node's cost is its direct cost and that of its children, to the pico-dollar.
 *
 * @param whole the measures of the whole session, and its times as `x_first`, `x_last`
 */
export async function sessionTree(report: Report, whole: Row): Promise<WireStep> {
  const rows = await report.rows(
    (from) => `SELECT session_path AS x_path, ${MEASURE_COLUMNS},
      toUnixTimestamp64Milli(min(effective_at)) AS x_first, toUnixTimestamp64Milli(max(effective_at)) AS x_last
      ${from} AND session_path != '' GROUP BY session_path ORDER BY sum(cost) DESC, session_path LIMIT ${MOST_STEPS}`,
  );
  const root = emptyStep(null, whole);
  for (const row of rows) place(root, row);
  root.direct = lessMeasures(fromRowMeasures(whole), rows.map(fromRowMeasures));
  return toWireStep(root).wire;
}

function emptyStep(path: string | null, row: Row): Step {
  return {
    path,
    children: new Map(),
    direct: NO_MEASURES,
    firstAt: isoOf(row, 'x_first'),
    lastAt: isoOf(row, 'x_last'),
  };
}

function place(root: Step, row: Row): void {
  let step = root;
  for (const segment of textOf(row, 'x_path').split('/')) {
    if (segment === '') continue;
    const path = step.path === null ? segment : `${step.path}/${segment}`;
    const child = step.children.get(segment) ?? emptyStep(path, row);
    step.children.set(segment, child);
    extend(child, row);
    step = child;
  }
  step.direct = sumMeasures([step.direct, fromRowMeasures(row)]);
}

function extend(step: Step, row: Row): void {
  const first = isoOf(row, 'x_first');
  const last = isoOf(row, 'x_last');
  if (first < step.firstAt) step.firstAt = first;
  if (last > step.lastAt) step.lastAt = last;
}

function toWireStep(step: Step): { readonly wire: WireStep; readonly total: Measures } {
  const children = Array.from(step.children.values(), toWireStep);
  const total = sumMeasures([step.direct, ...children.map((child) => child.total)]);
  const wire = {
    path: step.path,
    step: step.path === null ? null : step.path.slice(step.path.lastIndexOf('/') + 1),
    ...toWireSessionMeasures(total),
    first_at: step.firstAt,
    last_at: step.lastAt,
    direct: toWireSessionMeasures(step.direct),
    children: children
      .map((child) => child.wire)
      .toSorted((left, right) => (left.first_at === right.first_at ? 0 : left.first_at < right.first_at ? -1 : 1)),
  };
  return { wire, total };
}
