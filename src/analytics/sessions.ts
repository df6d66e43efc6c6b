import { invariant, type TimestampMs } from '#std';
import { formatUsd, picoUsd, usdNumber, type PicoUsd } from '#terms';
import { commonTags } from './common-tags.ts';
import { FILTER_PARAMETERS, parseListFilter, type EntryFilter } from './filter.ts';
import { fromRowMeasures, MEASURE_COLUMNS, type Measures } from './measures.ts';
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
import { SESSION_COLUMNS, SESSION_ORDER, toWireSession, type WireSession } from './session-row.ts';

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

const IN_SESSION = "session_id != ''";

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
  const found = await report.rows(
    (from, { bind }) => `SELECT session_id AS x_id ${from} AND ${IN_SESSION} GROUP BY session_id
      ORDER BY ${SESSION_ORDER[sort]} DESC, session_id LIMIT ${bind('UInt32', page.limit)} OFFSET ${bind('UInt32', page.offset)}`,
  );
  const ids = found.map((row) => textOf(row, 'x_id'));
  if (ids.length === 0) return [];
  const [rows, tags] = await Promise.all([
    report.rows(
      (from, { bind }) => `SELECT session_id AS x_id, ${SESSION_COLUMNS} ${from}
        AND session_id IN ${bind('Array(String)', ids)} GROUP BY session_id`,
    ),
    commonTags(report, ids),
  ]);
  const byId = new Map(rows.map((row) => [textOf(row, 'x_id'), row]));
  return ids.map((id) => {
    const row = byId.get(id);
    invariant(row !== undefined, 'a session of the page has entries');
    return toWireSession(id, row, tags.get(id) ?? {});
  });
}

async function summaryOf(report: Report): Promise<SessionsSummary> {
  const [[total], [rest], [shape]] = await Promise.all([
    report.rows((from) => `SELECT ${MEASURE_COLUMNS} ${from} AND ${IN_SESSION}`),
    report.rows(
      (from) =>
        `SELECT sum(counts_call) AS m_events, toString(coalesce(sum(cost), 0)) AS m_cost ${from} AND session_id = ''`,
    ),
    report.rows(
      (from) => `SELECT count() AS x_sessions, toString(coalesce(max(c), 0)) AS x_max,
        toString(coalesce(quantileExactLow(0.5)(toDecimal128(c, 0)), 0)) AS x_median, toString(sum(d)) AS x_durations
        FROM (SELECT ${SESSION_ORDER.cost} AS c, ${SESSION_ORDER.duration} AS d ${from} AND ${IN_SESSION} GROUP BY session_id)`,
    ),
  ]);
  invariant(total !== undefined && rest !== undefined && shape !== undefined, 'a sum without groups is one row');
  const measures = fromRowMeasures(total);
  return {
    ...toWireSummary(measures, report.filter),
    ...perSession(measures, shape),
    without_session: {
      events: countOf(rest, 'm_events'),
      cost: usdNumber(moneyOf(rest, 'm_cost')),
      cost_exact: formatUsd(moneyOf(rest, 'm_cost')),
    },
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
