import { invariant, type TimestampMs } from '#std';
import { bucketsOf } from '../breakdown.ts';
import type { Bindings } from '../bindings.ts';
import { everythingIn, type EntryFilter } from '../filter.ts';
import { parseParameters } from '../parameters.ts';
import { parseOptionalPeriod, PERIOD_PARAMETERS } from '../period.ts';
import { countOf, moneyOf, textOf, type Row } from '../reader.ts';
import { openReport, type Report } from '../report.ts';
import { apiKeyOf, ofKey, type KeyName, type SpendDeps } from './spend-deps.ts';
import { toWireSpend } from './spend-money.ts';
import { SUCCESS } from './spend-row.ts';
import { anyOf, splitTags } from './spend-tags.ts';

export type TagActivityQuery = {
  readonly filter: EntryFilter;
  readonly tags: readonly string[];
  readonly apiKey: string | undefined;
  readonly page: number;
  /** Days of a page. */
  readonly pageSize: number;
};

export function parseTagActivityQuery(query: unknown, now: TimestampMs): TagActivityQuery {
  const parameters = parseParameters(query, [...PERIOD_PARAMETERS, 'tags', 'model', 'api_key', 'page', 'page_size']);
  return {
    filter: { ...everythingIn(parseOptionalPeriod(parameters, now)), model: parameters.text('model') },
    tags: splitTags(parameters.text('tags')),
    apiKey: parameters.text('api_key'),
    page: parameters.whole('page', { least: 1, most: 1_000_000, otherwise: 1 }),
    pageSize: parameters.whole('page_size', { least: 1, most: 1000, otherwise: 10 }),
  };
}

type WireMetrics = {
  readonly spend: number;
  readonly spend_exact: string;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly api_requests: number;
  readonly successful_requests: number;
  readonly failed_requests: number;
};

type WirePart = { readonly metrics: WireMetrics; readonly metadata: object; readonly api_key_breakdown: object };

type Breakdown = Readonly<Record<string, Readonly<Record<string, WirePart>>>>;

export type TagActivityAnswer = {
  readonly results: readonly { readonly date: string; readonly metrics: WireMetrics; readonly breakdown: Breakdown }[];
  /** Of the whole match, whatever the page; a call counts once, whatever tags it has. */
  readonly metadata: Readonly<Record<string, number | string | boolean>>;
};

/** What a breakdown of a day is by. A call stands in one row of each, but for `entities`, which are its tags. */
const PARTS: Readonly<Record<string, string>> = {
  models: 'toString(model)',
  model_groups: 'toString(request_model)',
  providers: 'toString(provider)',
  endpoints: 'toString(operation)',
  api_keys: 'toString(key_id)',
};

/** What else there is: tags, and what LiteLLM knows and we do not. */
const OTHER_PARTS = ['entities', 'mcp_servers'] as const;

/** Rows of one breakdown of one day at most, the dearest. */
const MOST_PARTS = 1000;

const METRICS = `toString(coalesce(sum(cost), 0)) AS x_cost, sum(input_tokens) AS x_input, sum(output_tokens) AS x_output,
  sum(meters['cache_read']) AS x_cache_read,
  sum(meters['cache_write'] + meters['cache_write_5m'] + meters['cache_write_1h']) AS x_cache_write,
  sum(counts_call) AS x_calls, sumIf(counts_call, status IN ${SUCCESS}) AS x_good`;

/** LiteLLM's report on tags per day, newest first. */
export async function tagActivity(
  deps: SpendDeps,
  query: TagActivityQuery,
  signal?: AbortSignal,
): Promise<TagActivityAnswer> {
  const keys = await deps.keys();
  const { filter, apiKey, page, pageSize } = query;
  const report = openReport(deps, apiKey === undefined ? filter : ofKey(filter, apiKey, keys), signal);
  const matching = (bindings: Bindings): string => anyOf(query.tags, bindings.bind);
  const [[total], days] = await Promise.all([
    report.rows((from, bindings) => `SELECT ${METRICS} ${from} AND ${matching(bindings)}`),
    report.rows(
      (from, bindings) => `SELECT toString(${dayOf(report, bindings)}) AS x_day, ${METRICS}
        ${from} AND ${matching(bindings)} GROUP BY x_day ORDER BY x_day DESC`,
    ),
  ]);
  invariant(total !== undefined, 'a sum without groups is one row');
  const shown = days.slice((page - 1) * pageSize, page * pageSize);
  const breakdowns = await breakdownsOf(report, { query, days: shown.map((row) => textOf(row, 'x_day')), keys });
  const pages = Math.ceil(days.length / pageSize);
  return {
    results: shown.map((row) => {
      const date = textOf(row, 'x_day');
      return { date, metrics: toWireMetrics(row), breakdown: breakdowns.get(date) ?? {} };
    }),
    metadata: { ...toWireTotals(total), page, total_pages: pages, has_more: page < pages },
  };
}

function dayOf(report: Report, bindings: Bindings): string {
  return bucketsOf('day', report.filter.period).sql(bindings);
}

type BreakdownAsk = {
  readonly query: TagActivityQuery;
  readonly days: readonly string[];
  readonly keys: ReadonlyMap<string, KeyName>;
};

async function breakdownsOf(report: Report, ask: BreakdownAsk): Promise<ReadonlyMap<string, Breakdown>> {
  if (ask.days.length === 0) return new Map();
  // Not in objects: people call a tag whatever they like, and `__proto__` is no place to put something.
  const found = new Map<string, Map<string, Map<string, WirePart>>>();
  const fill = async (part: string, name: (bindings: Bindings) => string): Promise<void> => {
    for (const row of await partRows(report, ask, name)) {
      const date = textOf(row, 'x_day');
      const day = found.get(date) ?? emptyDay();
      found.set(date, day);
      const id = textOf(row, 'x_name');
      day.get(part)?.set(part === 'api_keys' ? apiKeyOf(id, ask.keys) : id, {
        metrics: toWireMetrics(row),
        metadata: part === 'api_keys' ? { key_alias: ask.keys.get(id)?.name ?? null } : {},
        api_key_breakdown: {},
      });
    }
  };
  const { tags } = ask.query;
  await Promise.all([
    ...Object.entries(PARTS).map(([part, sql]) => fill(part, () => sql)),
    fill('entities', ({ bind }) => {
      const sent = 'arrayDistinct(tags_sent)';
      return `arrayJoin(${tags.length === 0 ? sent : `arrayIntersect(${sent}, ${bind('Array(String)', tags)})`})`;
    }),
  ]);
  return new Map(Array.from(found, ([date, day]) => [date, toWireBreakdown(day)]));
}

function emptyDay(): Map<string, Map<string, WirePart>> {
  return new Map([...Object.keys(PARTS), ...OTHER_PARTS].map((part) => [part, new Map<string, WirePart>()]));
}

function toWireBreakdown(day: ReadonlyMap<string, ReadonlyMap<string, WirePart>>): Breakdown {
  return Object.fromEntries(Array.from(day, ([part, names]) => [part, Object.fromEntries(names)]));
}

function partRows(
  report: Report,
  { query, days }: BreakdownAsk,
  name: (bindings: Bindings) => string,
): ReturnType<Report['rows']> {
  return report.rows((from, bindings) => {
    const day = dayOf(report, bindings);
    return `SELECT toString(${day}) AS x_day, ${name(bindings)} AS x_name, ${METRICS} ${from}
      AND ${anyOf(query.tags, bindings.bind)} AND has(${bindings.bind('Array(String)', days)}, toString(${day}))
      GROUP BY x_day, x_name ORDER BY x_day, coalesce(sum(cost), 0) DESC, x_name LIMIT ${MOST_PARTS} BY x_day`;
  });
}

function toWireMetrics(row: Row): WireMetrics {
  const input = countOf(row, 'x_input');
  const output = countOf(row, 'x_output');
  const calls = countOf(row, 'x_calls');
  const good = countOf(row, 'x_good');
  return {
    ...toWireSpend(moneyOf(row, 'x_cost')),
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    cache_read_input_tokens: countOf(row, 'x_cache_read'),
    cache_creation_input_tokens: countOf(row, 'x_cache_write'),
    api_requests: calls,
    successful_requests: good,
    failed_requests: calls - good,
  };
}

function toWireTotals(row: Row): Readonly<Record<string, number | string>> {
  const { spend, spend_exact, ...rest } = toWireMetrics(row);
  const totals = Object.fromEntries(
    Object.entries(rest).map(([name, count]) => [name.startsWith('total_') ? name : `total_${name}`, count]),
  );
  return { total_spend: spend, total_spend_exact: spend_exact, ...totals };
}
