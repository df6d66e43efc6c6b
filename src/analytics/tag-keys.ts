import { invariant, type TimestampMs } from '#std';
import { isTagKey, tagKeyOfPath } from '#ledger/store';
import { formatTagFilter } from '#tags';
import { formatUsd, usdNumber } from '#terms';
import { distinctValues } from './distinct.ts';
import { FILTER_PARAMETERS, parseListFilter, type EntryFilter } from './filter.ts';
import { listOf } from './grouping.ts';
import { parseParameters } from './parameters.ts';
import { countOf, moneyOf } from './reader.ts';
import {
  openReport,
  totalOf,
  toWireAsOf,
  toWireSummary,
  type AnalyticsDeps,
  type Report,
  type WireAsOf,
  type WireSummary,
} from './report.ts';
import { percentOf } from './share.ts';
import {
  tagNumbers,
  toWireTagNumbers,
  unseenTag,
  type TagNotes,
  type TagNumbers,
  type WireTagNumbers,
} from './tag-numbers.ts';

/** What people wrote about keys, and about single tags as they are written; kept elsewhere. */
export type TagDeps = AnalyticsDeps & {
  readonly notes: () => Promise<{ readonly keys: TagNotes; readonly tags: TagNotes }>;
};

export type TagKeysQuery = { readonly filter: EntryFilter };

export function parseTagKeysQuery(query: unknown, now: TimestampMs): TagKeysQuery {
  return { filter: parseListFilter(parseParameters(query, FILTER_PARAMETERS), now) };
}

export type WireTagKey = WireTagNumbers & {
  readonly key: string;
  /** What to pass as `group_by`. */
  readonly group_by: string;
  /** An estimate, off by about one percent; exact up to some hundreds. */
  readonly distinct_values: number;
};

/** `tags` is the filter that finds its calls. */
type WireLabel = WireTagNumbers & { readonly label: string; readonly tags: string };
type WireRoot = WireTagNumbers & { readonly path: string; readonly tags: string };

export type TagKeysAnswer = {
  readonly data: readonly WireTagKey[];
  readonly labels: readonly WireLabel[];
  /** The roots of paths. */
  readonly paths: readonly WireRoot[];
  readonly distinct_values_are: 'approximate';
  readonly summary: WireSummary & {
    /** Calls without any tag: no key, no label, no path. */
    readonly untagged: {
      readonly calls: number;
      readonly cost: number;
      readonly cost_exact: string;
      readonly percent: number | null;
    };
  };
  /** True when there are more keys, labels or roots than are listed. */
  readonly truncated: boolean;
  readonly as_of: WireAsOf;
};

/** Keys listed at most: each is a column of a query. */
export const MOST_KEYS = 200;

const MOST_NAMES = 1000;

/** Every tag in use: what it covers, since when, and who sends it. */
export async function tagKeys(deps: TagDeps, query: TagKeysQuery, signal?: AbortSignal): Promise<TagKeysAnswer> {
  const report = openReport(deps, query.filter, signal);
  const [keys, labels, roots, total, untagged, notes] = await Promise.all([
    keyNumbers(report, MOST_KEYS + 1),
    tagNumbers(report, 'label', { limit: MOST_NAMES + 1 }),
    tagNumbers(report, 'root', { limit: MOST_NAMES + 1 }),
    totalOf(report),
    untaggedOf(report),
    deps.notes(),
  ]);
  const listed = withUnseen(keys.slice(0, MOST_KEYS), notes.keys);
  const distinct = await distinctValues(
    report,
    listed.map(({ name }) => name),
  );
  const wire = (numbers: TagNumbers, noted: TagNotes): WireTagNumbers =>
    toWireTagNumbers(numbers, { total: total.cost, notes: noted });
  return {
    data: listed.map((numbers, at) => ({
      key: numbers.name,
      group_by: `tags.${numbers.name}`,
      distinct_values: distinct[at] ?? 0,
      ...wire(numbers, notes.keys),
    })),
    labels: labels.slice(0, MOST_NAMES).map((numbers) => ({
      label: numbers.name,
      tags: formatTagFilter([{ kind: 'label', label: numbers.name }]),
      ...wire(numbers, notes.tags),
    })),
    paths: roots.slice(0, MOST_NAMES).map((numbers) => ({
      path: numbers.name,
      tags: formatTagFilter([{ kind: 'path', segments: [numbers.name] }]),
      ...wire(numbers, notes.tags),
    })),
    distinct_values_are: 'approximate',
    summary: {
      ...toWireSummary(total, query.filter),
      untagged: {
        calls: untagged.calls,
        cost: usdNumber(untagged.cost),
        cost_exact: formatUsd(untagged.cost),
        percent: percentOf(untagged.cost, total.cost),
      },
    },
    truncated: keys.length > MOST_KEYS || labels.length > MOST_NAMES || roots.length > MOST_NAMES,
    as_of: toWireAsOf(report.asOf),
  };
}

/** Keys that somebody described are in use, if only on paper: no call has carried them yet. */
function withUnseen(seen: readonly TagNumbers[], notes: TagNotes): readonly TagNumbers[] {
  const known = new Set(seen.map(({ name }) => name));
  return [
    ...seen,
    ...Array.from(notes.keys())
      .filter((name) => !known.has(name))
      .toSorted()
      .map(unseenTag),
  ];
}

/** The keys of tags by cost. */
export async function keyNumbers(report: Report, limit: number): Promise<readonly TagNumbers[]> {
  const all = await tagNumbers(report, 'tag_key', { limit });
  return all.map((numbers) => ({ ...numbers, name: tagKeyOfPath(numbers.name) })).filter(({ name }) => isTagKey(name));
}

async function untaggedOf(report: Report): Promise<Pick<TagNumbers, 'calls' | 'cost'>> {
  const [row] = await report.sums(
    listOf('untagged'),
    (from) =>
      `SELECT sum(counts_call) AS x_calls, toString(coalesce(sum(cost), 0)) AS x_cost ${from} WHERE isNotNull(g)`,
  );
  invariant(row !== undefined, 'a sum without groups is one row');
  return { calls: countOf(row, 'x_calls'), cost: moneyOf(row, 'x_cost') };
}
