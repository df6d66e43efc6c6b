import type { TimestampMs } from '#std';
import { ENTRIES } from '#ledger/store';
import { callBegan, type ApportionError } from '#terms';
import { createBindings } from './bindings.ts';
import { correctionsOf } from './corrected.ts';
import { EVENT_COLUMNS, toWireEvent, type WireEvent } from './event.ts';
import { EVENT_DETAIL_COLUMNS, toWireEventDetail, type WireEventDetail } from './event-detail.ts';
import { FILTER_PARAMETERS, parseListFilter, type EntryFilter } from './filter.ts';
import { newestRows } from './newest.ts';
import { PAGE_PARAMETERS, parsePage, toWirePagination, type Page, type WirePagination } from './page.ts';
import { parseParameters } from './parameters.ts';
import { textOf, type Row } from './reader.ts';
import {
  agedOut,
  notFound,
  openReport,
  totalOf,
  toWireAsOf,
  toWireDetailKept,
  toWireSummary,
  type AnalyticsDeps,
  type WireAsOf,
  type WireDetailKept,
  type WireSummary,
} from './report.ts';

export type EventsQuery = { readonly filter: EntryFilter; readonly page: Page };

export function parseEventsQuery(query: unknown, now: TimestampMs): EventsQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, ...PAGE_PARAMETERS]);
  return { filter: parseListFilter(parameters, now), page: parsePage(parameters) };
}

export type EventsAnswer = {
  readonly data: readonly WireEvent[];
  /** Over the whole match, not the page. */
  readonly summary: WireSummary;
  readonly pagination: WirePagination;
  readonly detail_kept: WireDetailKept;
  readonly as_of: WireAsOf;
};

const ATTEMPTS = { condition: "kind = 'attempt'", columns: EVENT_COLUMNS };

/** Attempts, newest first, each at what it costs by now: corrections are no rows of their own. */
export async function events(deps: AnalyticsDeps, query: EventsQuery, signal?: AbortSignal): Promise<EventsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [total, rows] = await Promise.all([totalOf(report), newestRows(report, ATTEMPTS, query.page)]);
  const corrections = await correctionsOf({ store: deps.store, asOf: report.asOf }, rows, signal);
  return {
    data: rows.map((row) => toWireEvent(row, corrections)),
    summary: toWireSummary(total, query.filter),
    pagination: toWirePagination(query.page, total.attempts),
    detail_kept: toWireDetailKept(deps),
    as_of: toWireAsOf(report.asOf),
  };
}

/**
 * One event with all the ledger knows. `id` is the call's id (then its last attempt is shown), an entry's id (of a correction:
 * what it corrects is shown), or the `id` of the provider's answer.
 */
export async function eventDetail(deps: AnalyticsDeps, id: string, signal?: AbortSignal): Promise<WireEventDetail> {
  const options = signal === undefined ? {} : { signal };
  const bindings = createBindings();
  const sql = `SELECT ${EVENT_DETAIL_COLUMNS} FROM ${ENTRIES} WHERE ${entriesOfCall(id, bindings.bind)}
    ORDER BY kind != 'attempt', attempt, seq LIMIT ${MOST_ENTRIES}`;
  const rows = await deps.store.query<Row>(sql, bindings.params, options);
  const named = rows.find((row) => textOf(row, 'entry_id') === id);
  const entry = named === undefined || textOf(named, 'corrects') === '' ? id : textOf(named, 'corrects');
  const attempts = rows.filter((row) => textOf(row, 'kind') === 'attempt');
  const shown = attempts.find((row) => textOf(row, 'entry_id') === entry) ?? attempts.at(-1);
  if (shown === undefined) throw noEvent(deps, id);
  return toWireEventDetail(shown, rows);
}

function noEvent(deps: AnalyticsDeps, id: string): ApportionError {
  const kept = deps.store.detailKept?.() ?? null;
  const began = callBegan(id);
  if (kept !== null && began !== null && began < kept.from) {
    return notFound(
      `"${id}" is older than ${kept.days} days, and the store keeps details no longer.`,
      'What it cost is in every report. store.retention_days says how long details are kept; the journal may have them still.',
    );
  }
  return notFound(
    `There is no event "${id}".`,
    `Give a call id (call_…), an entry id, or the id in the answer of the provider. A call shows up here within a second of its end.${agedOut(deps, 'Calls')}`,
  );
}

/** More attempts and corrections than any call has. */
const MOST_ENTRIES = 100;

function entriesOfCall(id: string, bind: ReturnType<typeof createBindings>['bind']): string {
  const [call = ''] = id.split('.');
  if (call.startsWith('call_')) return `call_id = ${bind('String', call)}`;
  // The newest call that got this id: providers promise no uniqueness.
  const newest = `SELECT call_id FROM ${ENTRIES} WHERE upstream_id = ${bind('String', id)} ORDER BY effective_at DESC LIMIT 1`;
  return `call_id IN (${newest})`;
}
