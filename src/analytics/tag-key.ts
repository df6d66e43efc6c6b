import { invariant, type TimestampMs } from '#std';
import { isTagKey, provenanceOf, tagPath } from '#ledger/store';
import { formatTagFilter, UNTAGGED } from '#tags';
import { formatUsd, usdNumber } from '#terms';
import { isoOf } from './event.ts';
import { FILTER_PARAMETERS, parseListFilter, type EntryFilter } from './filter.ts';
import { listOf, tagValues } from './grouping.ts';
import { PAGE_PARAMETERS, parsePage, toWirePagination, type Page, type WirePagination } from './page.ts';
import { parseParameters } from './parameters.ts';
import { countOf, moneyOf, textOf, type Row } from './reader.ts';
import {
  notFound,
  openReport,
  totalOf,
  toWireAsOf,
  toWireSummary,
  type Report,
  type WireAsOf,
  type WireSummary,
} from './report.ts';
import { percentOf, shareOf } from './share.ts';
import { tagNumbers, toWireTagNumbers, unseenTag } from './tag-numbers.ts';
import type { TagDeps, WireTagKey } from './tag-keys.ts';

const SORTS = ['cost', 'calls', 'recent', 'value'] as const;

export type TagKeyQuery = {
  readonly key: string;
  readonly filter: EntryFilter;
  readonly sort: (typeof SORTS)[number];
  readonly page: Page;
};

export function parseTagKeyQuery(key: string, query: unknown, now: TimestampMs): TagKeyQuery {
  const parameters = parseParameters(query, [...FILTER_PARAMETERS, 'sort', ...PAGE_PARAMETERS]);
  if (!isTagKey(key)) throw notFound(`"${key}" is no tag key.`, 'Keys hold letters, digits, "_", "." and "-".');
  return {
    key,
    filter: parseListFilter(parameters, now),
    sort: parameters.oneOf('sort', SORTS) ?? 'cost',
    page: parsePage(parameters),
  };
}

type WireMoney = { readonly calls: number; readonly cost: number; readonly cost_exact: string };

type WireValue = WireMoney & {
  readonly value: string;
  /** The filter that finds its calls. */
  readonly tags: string;
  readonly cost_share: number | null;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly description: string | null;
  readonly owner: string | null;
};

export type TagKeyAnswer = WireTagKey & {
  readonly data: readonly WireValue[];
  /** Calls without the key. */
  readonly untagged: WireMoney & { readonly percent: number | null; readonly tags: string };
  /** How the values came to be there. */
  readonly provenance: readonly (WireMoney & { readonly provenance: string })[];
  readonly summary: WireSummary;
  readonly pagination: WirePagination;
  readonly as_of: WireAsOf;
};

/** One key: its values, and what it does not cover. */
export async function tagKey(deps: TagDeps, query: TagKeyQuery, signal?: AbortSignal): Promise<TagKeyAnswer> {
  const { key } = query;
  const report = openReport(deps, query.filter, signal);
  const [[numbers], total, [rest], values, provenance, notes] = await Promise.all([
    tagNumbers(report, 'tag_key', { limit: 1, only: tagPath(key) }),
    totalOf(report),
    report.sums(
      tagValues(key),
      (from) => `SELECT sumIf(counts_call, isNull(g)) AS x_calls, uniqExact(g) AS x_values,
        toString(coalesce(sumIf(cost, isNull(g)), 0)) AS x_cost ${from}`,
    ),
    valuesOf(report, query),
    provenances(report, key),
    deps.notes(),
  ]);
  invariant(rest !== undefined, 'a sum without groups is one row');
  if (numbers === undefined && !notes.keys.has(key)) {
    throw notFound(`No call of the period carries "${key}".`, 'GET /v1/tags lists the keys in use.');
  }
  const distinct = countOf(rest, 'x_values');
  return {
    key,
    group_by: `tags.${key}`,
    distinct_values: distinct,
    ...toWireTagNumbers(numbers ?? unseenTag(key), { total: total.cost, notes: notes.keys }),
    data: values.map((row) => {
      const value = textOf(row, 'x_value');
      const cost = moneyOf(row, 'x_cost');
      const note = notes.tags.get(`${key}:${value}`);
      return {
        value,
        tags: formatTagFilter([{ kind: 'dimension', key, values: [value] }]),
        ...toWireMoney(row),
        cost_share: shareOf(cost, total.cost),
        first_seen: isoOf(row, 'x_first'),
        last_seen: isoOf(row, 'x_last'),
        description: note?.description ?? null,
        owner: note?.owner ?? null,
      };
    }),
    untagged: {
      ...toWireMoney(rest),
      percent: percentOf(moneyOf(rest, 'x_cost'), total.cost),
      tags: `${key}:${UNTAGGED}`,
    },
    provenance,
    summary: toWireSummary(total, query.filter),
    pagination: toWirePagination(query.page, distinct),
    as_of: toWireAsOf(report.asOf),
  };
}

const ORDER: Readonly<Record<TagKeyQuery['sort'], string>> = {
  cost: 'coalesce(sum(cost), 0) DESC, x_value',
  calls: 'sum(counts_call) DESC, x_value',
  recent: 'max(last_at) DESC, x_value',
  value: 'x_value',
};

function valuesOf(report: Report, { key, sort, page }: TagKeyQuery): Promise<readonly Row[]> {
  return report.sums(
    tagValues(key),
    (from, { bind }) => `SELECT assumeNotNull(g) AS x_value, sum(counts_call) AS x_calls,
      toString(coalesce(sum(cost), 0)) AS x_cost,
      toUnixTimestamp64Milli(min(first_at)) AS x_first, toUnixTimestamp64Milli(max(last_at)) AS x_last
      ${from} WHERE isNotNull(g) GROUP BY x_value
      ORDER BY ${ORDER[sort]} LIMIT ${bind('UInt32', page.limit)} OFFSET ${bind('UInt32', page.offset)}`,
  );
}

async function provenances(report: Report, key: string): Promise<TagKeyAnswer['provenance']> {
  const rows = await report.sums(
    listOf(provenanceOf(key)),
    (
      from,
    ) => `SELECT assumeNotNull(g) AS x_provenance, sum(counts_call) AS x_calls, toString(coalesce(sum(cost), 0)) AS x_cost
      ${from} WHERE isNotNull(g) GROUP BY x_provenance ORDER BY sum(counts_call) DESC, x_provenance`,
  );
  return rows.map((row) => ({ provenance: textOf(row, 'x_provenance'), ...toWireMoney(row) }));
}

function toWireMoney(row: Row): WireMoney {
  const cost = moneyOf(row, 'x_cost');
  return { calls: countOf(row, 'x_calls'), cost: usdNumber(cost), cost_exact: formatUsd(cost) };
}
