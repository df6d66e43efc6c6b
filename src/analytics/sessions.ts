import type { TimestampMs } from '#std';
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
  toWireDetailKept,
  toWireSummary,
  type AnalyticsDeps,
  type Report,
  type WireAsOf,
  type WireDetailKept,
  type WireSummary,
} from './report.ts';
import {
  hoursOf,
  rankedSessions,
  SESSION_SORTS,
  SESSION_TIMES,
  type FoundSession,
  type SessionSort,
} from './session-ranking.ts';
import { SESSION_DETAILS, toWireSession, type WireSession } from './session-row.ts';

export type SessionsQuery = { readonly filter: EntryFilter; readonly sort: SessionSort; readonly page: Page };

export function parseSessionsQuery(query: unknown, now: TimestampMs): SessionsQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, 'sort', ...PAGE_PARAMETERS]);
  return {
    filter: parseListFilter(parameters, now),
    sort: parameters.oneOf('sort', SESSION_SORTS) ?? 'recent',
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
  readonly detail_kept: WireDetailKept;
  readonly as_of: WireAsOf;
};

const IN_SESSION = valueOf('in_session', "if(session_id = '', NULL, '1')");

/** Sessions made of the calls that match, and what they cost on average. */
export async function sessions(
  deps: AnalyticsDeps,
  query: SessionsQuery,
  signal?: AbortSignal,
): Promise<SessionsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [{ shape, found }, parts] = await Promise.all([rankedSessions(report, query), partsOf(report)]);
  const summary = summaryOf(report, { shape, parts });
  return {
    data: await detailsOf(report, found),
    summary,
    pagination: toWirePagination(query.page, summary.sessions),
    detail_kept: toWireDetailKept(deps),
    as_of: toWireAsOf(report.asOf),
  };
}

/** There may be a million sessions, and a page shows a hundred: what is in them is only read of those. */
async function detailsOf(report: Report, found: readonly FoundSession[]): Promise<readonly WireSession[]> {
  const ids = found.map(({ id }) => id);
  if (ids.length === 0) return [];
  const ofEntries = hoursOf(found, 'effective_at');
  const [sumRows, detailRows] = await Promise.all([
    report.sums(
      SESSION,
      (from, { bind }) => `SELECT assumeNotNull(g) AS x_id, ${MEASURE_COLUMNS}, ${SESSION_TIMES} ${from}
        WHERE ${hoursOf(found, 'quarter')} AND g IN ${bind('Array(String)', ids)} GROUP BY x_id`,
    ),
    report.rows(
      (from, { bind }) => `SELECT session_id AS x_id, ${SESSION_DETAILS} ${from} AND ${ofEntries}
        AND session_id IN ${bind('Array(String)', ids)} GROUP BY session_id`,
    ),
  ]);
  const detailed = new Map(detailRows.map((row) => [textOf(row, 'x_id'), row]));
  const measured = new Map(sumRows.map((row) => [textOf(row, 'x_id'), row]));
  const tags = await commonTags(report, { sessions: detailed, where: ofEntries });
  return ids.flatMap((id) => {
    const [details, sums] = [detailed.get(id), measured.get(id)];
    // Between the questions its retention, or an erasure, may have ended it.
    if (details === undefined || sums === undefined) return [];
    return [toWireSession(id, { ...details, ...sums }, tags.get(id) ?? {})];
  });
}

/** What is in a session, and what is in none. */
function partsOf(report: Report): Promise<readonly Row[]> {
  return report.sums(
    IN_SESSION,
    (from) => `SELECT isNotNull(g) AS x_in_session, ${MEASURE_COLUMNS} ${from} GROUP BY x_in_session`,
  );
}

function summaryOf(
  report: Report,
  { shape, parts }: { readonly shape: Row; readonly parts: readonly Row[] },
): SessionsSummary {
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
