import { invariant, type TimestampMs } from '#std';
import { commonTags } from './common-tags.ts';
import { correctionsOf } from './corrected.ts';
import { EVENT_COLUMNS, toWireEvent, type WireEvent } from './event.ts';
import { everythingIn, type EntryFilter } from './filter.ts';
import { parsePage, PAGE_PARAMETERS, toWirePagination, type Page, type WirePagination } from './page.ts';
import { parseParameters } from './parameters.ts';
import { parseOptionalPeriod } from './period.ts';
import { countOf } from './reader.ts';
import { agedOut, notFound, openReport, toWireAsOf, type AnalyticsDeps, type WireAsOf } from './report.ts';
import { SESSION_COLUMNS, toWireSession, type WireSession } from './session-row.ts';
import { sessionTree, type WireStep } from './session-tree.ts';

export type SessionQuery = { readonly id: string; readonly filter: EntryFilter; readonly page: Page };

export function parseSessionQuery(id: string, query: unknown, now: TimestampMs): SessionQuery {
  const parameters = parseParameters(query, PAGE_PARAMETERS);
  const period = parseOptionalPeriod(parameters, now);
  return { id, filter: { ...everythingIn(period), sessionId: id }, page: parsePage(parameters) };
}

export type SessionAnswer = WireSession & {
  /** Attempts in the order they began. */
  readonly calls: readonly WireEvent[];
  /** The run as steps: its root is the whole session. */
  readonly tree: WireStep;
  readonly pagination: WirePagination;
  readonly as_of: WireAsOf;
};

/** What one conversation or agent run cost, call by call and step by step. */
export async function session(deps: AnalyticsDeps, query: SessionQuery, signal?: AbortSignal): Promise<SessionAnswer> {
  const report = openReport(deps, query.filter, signal);
  const { limit, offset } = query.page;
  const [row] = await report.rows(
    (from) => `SELECT ${SESSION_COLUMNS}, count() AS x_entries, countIf(kind = 'attempt') AS x_attempts ${from}`,
  );
  invariant(row !== undefined, 'a sum without groups is one row');
  if (countOf(row, 'x_entries') === 0) {
    throw notFound(
      `There is no session "${query.id}".`,
      `Give a session_id as the calls sent it. A call shows up here within a second of its end.${agedOut(deps, 'Sessions')}`,
    );
  }
  const [calls, tree, tags] = await Promise.all([
    report.rows(
      (from, { bind }) => `SELECT ${EVENT_COLUMNS} ${from} AND kind = 'attempt'
        ORDER BY effective_at, node_id, seq LIMIT ${bind('UInt32', limit)} OFFSET ${bind('UInt32', offset)}`,
    ),
    sessionTree(report, row),
    commonTags(report, { sessions: new Map([[query.id, row]]) }),
  ]);
  const corrections = await correctionsOf({ store: deps.store, asOf: report.asOf }, calls, signal);
  return {
    ...toWireSession(query.id, row, tags.get(query.id) ?? {}),
    calls: calls.map((call) => toWireEvent(call, corrections)),
    tree,
    pagination: toWirePagination(query.page, countOf(row, 'x_attempts')),
    as_of: toWireAsOf(report.asOf),
  };
}
