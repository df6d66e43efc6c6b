import { invariant, type TimestampMs } from '#std';
import { formatUsd, usdNumber, type PicoUsd } from '#terms';
import type { Bindings } from '../bindings.ts';
import { everythingIn, type EntryFilter } from '../filter.ts';
import { listOf } from '../grouping.ts';
import { parseParameters } from '../parameters.ts';
import { parseOptionalPeriod, PERIOD_PARAMETERS } from '../period.ts';
import { countOf, moneyOf, textOf } from '../reader.ts';
import { openReport, type AnalyticsDeps, type Report } from '../report.ts';
import { toWireSpend } from './spend-money.ts';

export type SpendTagsQuery = {
  readonly filter: EntryFilter;
  /** Tags as they are sent; calls that match any of them. Empty: every call with a tag. */
  readonly tags: readonly string[];
};

export function parseSpendTagsQuery(query: unknown, now: TimestampMs): SpendTagsQuery {
  return parseOver(query, [...PERIOD_PARAMETERS], now);
}

export function parseGlobalSpendTagsQuery(query: unknown, now: TimestampMs): SpendTagsQuery {
  return parseOver(query, [...PERIOD_PARAMETERS, 'tags'], now);
}

function parseOver(query: unknown, known: readonly string[], now: TimestampMs): SpendTagsQuery {
  const parameters = parseParameters(query, known);
  return {
    filter: everythingIn(parseOptionalPeriod(parameters, now)),
    tags: known.includes('tags') ? splitTags(parameters.text('tags')) : [],
  };
}

/** LiteLLM's list: commas between, so no tag can hold one. */
export function splitTags(text: string | undefined): readonly string[] {
  const tags = (text ?? '').split(',').map((tag) => tag.trim());
  return tags.filter((tag) => tag !== '');
}

export type WireSpendTag = {
  readonly individual_request_tag: string;
  readonly log_count: number;
  readonly total_spend: number;
  readonly total_spend_exact: string;
  /** Attempts without a price: not in the spend. */
  readonly unpriced_events: number;
};

/** What each tag cost. A call counts in full for each of its tags, so the rows do not add up to what was spent. */
export async function spendTags(
  deps: AnalyticsDeps,
  query: SpendTagsQuery,
  signal?: AbortSignal,
): Promise<readonly WireSpendTag[]> {
  const tags = await perTag(openReport(deps, query.filter, signal), []);
  return tags.map(({ name, cost, calls, unpriced }) => ({
    individual_request_tag: name,
    log_count: calls,
    total_spend: usdNumber(cost),
    total_spend_exact: formatUsd(cost),
    unpriced_events: unpriced,
  }));
}

export type GlobalSpendTagsAnswer = {
  readonly spend_per_tag: readonly {
    readonly name: string;
    readonly spend: number;
    readonly spend_exact: string;
    readonly log_count: number;
    readonly unpriced_events: number;
  }[];
  /** Of all calls that match any of the tags, each counted once. */
  readonly total_spend: number;
  readonly total_spend_exact: string;
  readonly total_log_count: number;
  readonly unpriced_events: number;
};

export async function globalSpendTags(
  deps: AnalyticsDeps,
  query: SpendTagsQuery,
  signal?: AbortSignal,
): Promise<GlobalSpendTagsAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [tags, [total]] = await Promise.all([
    perTag(report, query.tags),
    report.rows(
      (
        from,
        { bind },
      ) => `SELECT toString(coalesce(sum(cost), 0)) AS x_cost, sum(counts_call) AS x_calls, ${UNPRICED} AS x_unpriced
        ${from} AND ${anyOf(query.tags, bind)}`,
    ),
  ]);
  invariant(total !== undefined, 'a sum without groups is one row');
  const cost = moneyOf(total, 'x_cost');
  return {
    spend_per_tag: tags.map(({ name, cost: spent, calls, unpriced }) => ({
      name,
      ...toWireSpend(spent),
      log_count: calls,
      unpriced_events: unpriced,
    })),
    total_spend: usdNumber(cost),
    total_spend_exact: formatUsd(cost),
    total_log_count: countOf(total, 'x_calls'),
    unpriced_events: countOf(total, 'x_unpriced'),
  };
}

/** Calls that were sent one of `tags`; with none given, any tag. */
export function anyOf(tags: readonly string[], bind: Bindings['bind']): string {
  return tags.length === 0 ? 'notEmpty(tags_sent)' : `hasAny(tags_sent, ${bind('Array(String)', tags)})`;
}

const UNPRICED = 'sum(unpriced_count)';

type TagSpend = {
  readonly name: string;
  readonly cost: PicoUsd;
  readonly calls: number;
  readonly unpriced: number;
};

/** Tags of an answer at most, the dearest. */
const MOST_TAGS = 10_000;

async function perTag(report: Report, tags: readonly string[]): Promise<readonly TagSpend[]> {
  const rows = await report.sums(listOf('tag_sent'), (from, { bind }) => {
    const only = tags.length === 0 ? '' : `AND has(${bind('Array(String)', tags)}, x_tag)`;
    return `SELECT assumeNotNull(g) AS x_tag, sum(counts_call) AS x_calls, ${UNPRICED} AS x_unpriced,
        toString(coalesce(sum(cost), 0)) AS x_cost
      ${from} WHERE isNotNull(g) ${only} GROUP BY x_tag ORDER BY coalesce(sum(cost), 0) DESC, x_tag LIMIT ${MOST_TAGS}`;
  });
  return rows.map((row) => ({
    name: textOf(row, 'x_tag'),
    cost: moneyOf(row, 'x_cost'),
    calls: countOf(row, 'x_calls'),
    unpriced: countOf(row, 'x_unpriced'),
  }));
}

/** Names listed at most. */
const MOST_NAMES = 100_000;

/** Every tag that was sent or inherited in the period, as it was written, in order. */
export async function allTagNames(
  deps: AnalyticsDeps,
  query: SpendTagsQuery,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const rows = await openReport(deps, query.filter, signal).sums(
    listOf('tag_sent'),
    (from) => `SELECT DISTINCT assumeNotNull(g) AS x_tag ${from} WHERE isNotNull(g) ORDER BY x_tag LIMIT ${MOST_NAMES}`,
  );
  return rows.map((row) => textOf(row, 'x_tag'));
}
