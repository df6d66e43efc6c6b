import { invariant, type TimestampMs } from '#std';
import { parseTagFilter, UNTAGGED } from '#tags';
import { ENTRIES } from '#ledger/store';
import type { Bindings } from '../bindings.ts';
import { everythingIn, type EntryFilter, type ProvenName } from '../filter.ts';
import { parseParameters, type Parameters } from '../parameters.ts';
import { parseOptionalPeriod, PERIOD_PARAMETERS, untilAsOf } from '../period.ts';
import { countOf } from '../reader.ts';
import { openReport, type Report } from '../report.ts';
import { placeOf, rowsOf, type Place } from '../newest.ts';
import type { Page } from '../page.ts';
import { EVERYTHING } from '../summed.ts';
import { spendDays, type WireSpendDay } from './spend-days.ts';
import { ofKey, type SpendDeps } from './spend-deps.ts';
import { SPEND_COLUMNS, SUCCESS, toWireSpendLog, type WireSpendLog } from './spend-row.ts';

type SpendFilter = {
  readonly filter: EntryFilter;
  /** A key by hash, id or alias. */
  readonly apiKey: string | undefined;
  readonly requestId: string | undefined;
  readonly status: 'success' | 'failure' | undefined;
};

const FILTERS = [
  'api_key',
  'user_id',
  'request_id',
  'team_id',
  'end_user',
  'model',
  'model_group',
  'key_alias',
  'tags',
];

function parseSpendFilter(parameters: Parameters, now: TimestampMs): SpendFilter {
  const proven = new Map<ProvenName, string>();
  for (const [parameter, name] of [['user_id', 'key.owner'] as const, ['team_id', 'key.team'] as const]) {
    const value = parameters.text(parameter);
    if (value !== undefined) proven.set(name, value === UNTAGGED ? '' : value);
  }
  const tags = parameters.text('tags');
  const endUser = parameters.text('end_user');
  return {
    filter: {
      ...everythingIn(parseOptionalPeriod(parameters, now)),
      proven,
      key: parameters.text('key_alias'),
      model: parameters.text('model') ?? parameters.text('model_group'),
      tags: [
        ...(tags === undefined ? [] : parseTagFilter(tags)),
        ...(endUser === undefined ? [] : [{ kind: 'dimension' as const, key: 'end_user', values: [endUser] }]),
      ],
    },
    apiKey: parameters.text('api_key'),
    requestId: parameters.text('request_id'),
    status: parameters.oneOf('status_filter', ['success', 'failure']),
  };
}

export type SpendLogsQuery = SpendFilter & { readonly shape: 'rows' | 'days' };

/** With both dates LiteLLM answers sums per day, unless told otherwise. */
export function parseSpendLogsQuery(query: unknown, now: TimestampMs): SpendLogsQuery {
  const parameters = parseParameters(query, [...PERIOD_PARAMETERS, ...FILTERS, 'summarize']);
  const summarize = parameters.oneOf('summarize', ['true', 'false']) !== 'false';
  const dated = parameters.text('start_date') !== undefined && parameters.text('end_date') !== undefined;
  return {
    ...parseSpendFilter(parameters, now),
    shape: summarize && dated && parameters.text('request_id') === undefined ? 'days' : 'rows',
  };
}

/** Rows of an answer that cannot be paged. */
const MOST_ROWS = 10_000;

export type SpendLogsAnswer = {
  readonly rows: readonly WireSpendLog[] | readonly WireSpendDay[];
  /** True when only the newest rows are in the answer. */
  readonly truncated: boolean;
};

export async function spendLogs(
  deps: SpendDeps,
  query: SpendLogsQuery,
  signal?: AbortSignal,
): Promise<SpendLogsAnswer> {
  const keys = await deps.keys();
  const report = openReport(deps, filterOf(query, keys), signal);
  if (query.shape === 'days') return { rows: await spendDays(report, keys), truncated: false };
  const rows = await callRows(withDetail(deps, report), query, { limit: MOST_ROWS + 1, offset: 0 });
  return {
    rows: rows.slice(0, MOST_ROWS).map((row) => toWireSpendLog(row, keys)),
    truncated: rows.length > MOST_ROWS,
  };
}

export type SpendPageQuery = SpendFilter & { readonly page: number; readonly pageSize: number };

export function parseSpendPageQuery(query: unknown, now: TimestampMs): SpendPageQuery {
  const known = [...PERIOD_PARAMETERS, ...FILTERS, 'status_filter', 'page', 'page_size'];
  const parameters = parseParameters(query, known);
  return {
    ...parseSpendFilter(parameters, now),
    page: parameters.whole('page', { least: 1, most: 1_000_000, otherwise: 1 }),
    pageSize: parameters.whole('page_size', { least: 1, most: 1000, otherwise: 50 }),
  };
}

export type SpendPageAnswer = {
  readonly data: readonly WireSpendLog[];
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly total_pages: number;
  readonly total_is_capped: false;
};

export async function spendPage(
  deps: SpendDeps,
  query: SpendPageQuery,
  signal?: AbortSignal,
): Promise<SpendPageAnswer> {
  const { page, pageSize } = query;
  const keys = await deps.keys();
  const report = withDetail(deps, openReport(deps, filterOf(query, keys), signal));
  const [rows, [count]] = await Promise.all([
    callRows(report, query, { limit: pageSize, offset: (page - 1) * pageSize }),
    callCount(report, query),
  ]);
  invariant(count !== undefined, 'a sum without groups is one row');
  const total = countOf(count, 'x_calls');
  return {
    data: rows.map((row) => toWireSpendLog(row, keys)),
    total,
    page,
    page_size: pageSize,
    total_pages: Math.ceil(total / pageSize),
    total_is_capped: false,
  };
}

/** Of what is older nobody knows which entries were one call. */
function withDetail({ store }: SpendDeps, report: Report): Report {
  const kept = store.detailKept?.() ?? null;
  if (kept === null) return report;
  const { startMs, endMs } = report.filter.period;
  return report.within({ startMs: Math.min(endMs, Math.max(startMs, kept.from)), endMs });
}

function filterOf({ filter, apiKey }: SpendFilter, keys: Awaited<ReturnType<SpendDeps['keys']>>): EntryFilter {
  return apiKey === undefined ? filter : ofKey(filter, apiKey, keys);
}

/** Without a condition of its own the number of calls is what every report counts. */
function callCount(report: Report, query: SpendFilter): ReturnType<Report['rows']> {
  if (query.requestId === undefined && query.status === undefined) {
    const asked = { source: EVERYTHING, time: 'none', summed: ['counts_call'] } as const;
    return report.parts(asked, (from) => `SELECT toInt64(sumForEach(part)[1]) AS x_calls ${from}`);
  }
  return report.rows((from, bindings) => `SELECT sum(counts_call) AS x_calls ${from}${conditionsOf(query, bindings)}`);
}

function conditionsOf({ requestId, status }: SpendFilter, { bind }: Bindings): string {
  const conditions: string[] = [];
  if (requestId !== undefined) {
    const id = bind('String', requestId);
    conditions.push(`call_id IN (SELECT call_id FROM ${ENTRIES} WHERE upstream_id = ${id} OR call_id = ${id})`);
  }
  if (status !== undefined) conditions.push(`status ${status === 'success' ? 'IN' : 'NOT IN'} ${SUCCESS}`);
  return conditions.map((condition) => ` AND ${condition}`).join('');
}

async function callsPlace(report: Report, query: SpendFilter, page: Page): Promise<Place | null> {
  // A request is found by its id, wherever in time it is.
  if (query.requestId !== undefined) return { report, offset: page.offset };
  return await placeOf(report, (bindings) => `counts_call = 1${conditionsOf(query, bindings)}`, page);
}

/** No call goes on for longer: the first of its attempts began so long before the last one at most. */
const LONGEST_CALL_MS = 24 * 3_600_000;

/**
 * Calls, newest first, with all their entries summed up; the other fields are those of the last attempt. Filters look at
 * the last attempt, which is the row that counts the call: so a page is found without grouping all there is.
 */
async function callRows(report: Report, query: SpendFilter, page: Page): ReturnType<Report['rows']> {
  const place = await callsPlace(report, query, page);
  if (place === null) return [];
  return place.report.rows((from, bindings) => {
    const { bind } = bindings;
    const calls = `SELECT call_id ${from} AND counts_call = 1 AND call_id != ''${conditionsOf(query, bindings)}
      ORDER BY effective_at DESC, seq DESC ${rowsOf(page, place, bind)}`;
    return `SELECT * FROM (SELECT ${SPEND_COLUMNS} FROM ${ENTRIES}
        WHERE effective_at >= fromUnixTimestamp64Milli(${bind('Int64', report.filter.period.startMs - LONGEST_CALL_MS)}, 'UTC')
          AND ${untilAsOf(report.asOf, bind, 'seq')}
          AND call_id IN (${calls}))
      WHERE kind = 'attempt' ORDER BY x_start DESC, call_id DESC, attempt DESC LIMIT 1 BY call_id`;
  });
}
