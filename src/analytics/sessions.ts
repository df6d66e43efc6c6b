import { invariant, type TimestampMs } from '#std';
import { formatUsd, picoUsd, usdNumber, type PicoUsd } from '#terms';
import { commonTags } from './common-tags.ts';
import { FILTER_PARAMETERS, parseListFilter, type EntryFilter } from './filter.ts';
import { SESSION, valueOf } from './grouping.ts';
import { fromRowMeasures, MEASURE_COLUMNS, NO_MEASURES, type Measures } from './measures.ts';
import { PAGE_PARAMETERS, parsePage, toWirePagination, type Page, type WirePagination } from './page.ts';
import { parseParameters } from './parameters.ts';
import { countOf, moneyOf, textOf, type Row } from './reader.ts';
import {
  openReport,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Report,
  type WireAsOf,
  type WireSummary,
} from './report.ts';
import { SESSION_COLUMNS, toWireSession, type WireSession } from './session-row.ts';

const SORTS = ['cost', 'turns', 'recent', 'duration'] as const;

type Sort = (typeof SORTS)[number];

export type SessionsQuery = { readonly filter: EntryFilter; readonly sort: Sort; readonly page: Page };

export function parseSessionsQuery(query: unknown, now: TimestampMs): SessionsQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, 'sort', ...PAGE_PARAMETERS]);
  return {
    filter: parseListFilter(parameters, now),
    sort: parameters.oneOf('sort', SORTS) ?? 'recent',
    page: parsePage(parameters),
  };
}

export type SessionsSummary = WireSummary & {
  readonly sessions: number;
  /** Null where there is no session. */
  readonly avg_cost_per_session: number | null;
  /** Rounded half to even at a pico-dollar. */
  readonly avg_cost_per_session_exact: string | null;
  readonly median_cost_per_session_exact: string | null;
  readonly max_cost_per_session_exact: string | null;
  readonly avg_turns_per_session: number | null;
  readonly avg_duration_ms: number | null;
  /** What matched too, but belongs to no session: not in the totals. */
  readonly without_session: { readonly events: number; readonly cost: number; readonly cost_exact: string };
};

export type SessionsAnswer = {
  readonly data: readonly WireSession[];
  readonly summary: SessionsSummary;
  readonly pagination: WirePagination;
  readonly as_of: WireAsOf;
};

const IN_SESSION = valueOf('in_session', "if(session_id = '', NULL, '1')");

const FIRST_MS = 'toUnixTimestamp64Milli(min(first_at))';

/** The columns the list can be ordered by. */
const ORDER: Readonly<Record<Sort, string>> = {
  cost: 'coalesce(sum(cost), 0)',
  turns: 'sum(counts_call)',
  recent: 'max(last_at)',
  duration: `toUnixTimestamp64Milli(max(end_at)) - ${FIRST_MS}`,
};

/** Sessions made of the calls that match, and what they cost on average. */
export async function sessions(
  deps: AnalyticsDeps,
  query: SessionsQuery,
  signal?: AbortSignal,
): Promise<SessionsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [data, summary] = await Promise.all([sessionPage(report, query), summaryOf(report)]);
  return {
    data,
    summary,
    pagination: toWirePagination(query.page, summary.sessions),
    as_of: toWireAsOf(report.asOf),
  };
}

/** First which sessions, then what is in them: there may be a million, and a page shows a hundred. */
async function sessionPage(report: Report, { sort, page }: SessionsQuery): Promise<readonly WireSession[]> {
  const found = await report.sums(
    SESSION,
    (
      from,
      { bind },
    ) => `SELECT assumeNotNull(g) AS x_id, ${FIRST_MS} AS x_first, toUnixTimestamp64Milli(max(last_at)) AS x_last
      ${from} WHERE isNotNull(g) GROUP BY x_id
      ORDER BY ${ORDER[sort]} DESC, x_id LIMIT ${bind('UInt32', page.limit)} OFFSET ${bind('UInt32', page.offset)}`,
  );
  const ids = found.map((row) => textOf(row, 'x_id'));
  if (ids.length === 0) return [];
  const hours = hoursOf(found);
  const rows = await report.rows(
    (from, { bind }) => `SELECT session_id AS x_id, ${SESSION_COLUMNS} ${from} AND ${hours}
      AND session_id IN ${bind('Array(String)', ids)} GROUP BY session_id`,
  );
  const byId = new Map(rows.map((row) => [textOf(row, 'x_id'), row]));
  const tags = await commonTags(report, { sessions: byId, where: hours });
  return ids.map((id) => {
    const row = byId.get(id);
    invariant(row !== undefined, 'a session of the page has entries');
    return toWireSession(id, row, tags.get(id) ?? {});
  });
}

async function summaryOf(report: Report): Promise<SessionsSummary> {
  const [parts, [shape]] = await Promise.all([
    report.sums(
      IN_SESSION,
      (from) => `SELECT isNotNull(g) AS x_in_session, ${MEASURE_COLUMNS} ${from} GROUP BY x_in_session`,
    ),
    report.sums(
      SESSION,
      (from) => `SELECT count() AS x_sessions, toString(coalesce(max(c), 0)) AS x_max,
        toString(coalesce(quantileExactLow(0.5)(toDecimal128(c, 0)), 0)) AS x_median, toString(sum(d)) AS x_durations
        FROM (SELECT ${ORDER.cost} AS c, ${ORDER.duration} AS d ${from} WHERE isNotNull(g) GROUP BY g)`,
    ),
  ]);
  invariant(shape !== undefined, 'a sum without groups is one row');
  const part = (isIn: number): Measures => {
    const row = parts.find((one) => countOf(one, 'x_in_session') === isIn);
    return row === undefined ? NO_MEASURES : fromRowMeasures(row);
  };
  const [total, rest] = [part(1), part(0)];
  return {
    ...toWireSummary(total, report.filter),
    ...perSession(total, shape),
    without_session: { events: rest.events, cost: usdNumber(rest.cost), cost_exact: formatUsd(rest.cost) },
  };
}

/** Between its first and its last entry a session is looked for in hours that one of the page has: those of others are not read. */
const MOST_HOURS = 5_000;

/** @param found sessions with `x_first`, `x_last` */
function hoursOf(found: readonly Row[]): string {
  const hours = new Set<number>();
  for (const row of found) {
    const last = countOf(row, 'x_last');
    for (let hour = Math.floor(countOf(row, 'x_first') / HOUR_MS); hour * HOUR_MS <= last; hour += 1) {
      hours.add(hour);
      if (hours.size > MOST_HOURS) return '1';
    }
  }
  const starts = Array.from(hours, (hour) => `toDateTime(${hour * 3600}, 'UTC')`);
  return `toStartOfHour(effective_at) IN (${starts.join(', ')})`;
}

const HOUR_MS = 3_600_000;

function perSession(total: Measures, shape: Row): Omit<SessionsSummary, keyof WireSummary | 'without_session'> {
  const count = countOf(shape, 'x_sessions');
  if (count === 0) {
    return {
      sessions: 0,
      avg_cost_per_session: null,
      avg_cost_per_session_exact: null,
      median_cost_per_session_exact: null,
      max_cost_per_session_exact: null,
      avg_turns_per_session: null,
      avg_duration_ms: null,
    };
  }
  const average = shareOf(total.cost, BigInt(count));
  return {
    sessions: count,
    avg_cost_per_session: usdNumber(average),
    avg_cost_per_session_exact: formatUsd(average),
    median_cost_per_session_exact: formatUsd(moneyOf(shape, 'x_median')),
    max_cost_per_session_exact: formatUsd(moneyOf(shape, 'x_max')),
    avg_turns_per_session: Math.round((total.events / count) * 100) / 100,
    avg_duration_ms: Math.round(countOf(shape, 'x_durations') / count),
  };
}

/** One of `parts` equal shares, rounded half to even. */
function shareOf(amount: PicoUsd, parts: bigint): PicoUsd {
  const sign = amount < 0n ? -1n : 1n;
  const size = amount * sign;
  const whole = size / parts;
  const twice = 2n * (size % parts);
  const up = twice > parts || (twice === parts && whole % 2n === 1n);
  return picoUsd(sign * (up ? whole + 1n : whole));
}
