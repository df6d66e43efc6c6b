import { formatTagFilter } from '#tags';
import { formatUsd, usdNumber, type PicoUsd } from '#terms';
import { distinctValues } from '../distinct.ts';
import { listOf, SESSION, tagValues } from '../grouping.ts';
import { countOf, moneyOf, textOf, type Row } from '../reader.ts';
import type { Report } from '../report.ts';
import type { Source } from '../summed.ts';

/** A text that calls carry, and how to ask for those calls. */
export type Usage = {
  readonly text: string;
  readonly calls: number;
  readonly cost: PicoUsd;
  /** Parameters of `GET /v1/events`; null where no filter finds them. */
  readonly filter: Readonly<Record<string, string>> | null;
};

/** Texts looked at per key, and of labels, paths and sessions: those with the most calls. */
export const MOST_TEXTS = 300;

/** The values of a key that most calls have, and how many there are, about. */
export type KeyUsage = { readonly common: readonly Usage[]; readonly distinct: number };

/** Of keys that are summed up: in one statement. The others are left out. */
export async function valuesOfSummedKeys(
  report: Report,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KeyUsage>> {
  const sources = keys
    .map((key, at) => ({ at, source: tagValues(key) }))
    .filter(({ source }) => report.isSummed(source));
  if (sources.length === 0) return new Map();
  const rows = await report.together(
    sources,
    (from) => `SELECT at AS x_at, assumeNotNull(g) AS x_text, sum(counts_call) AS x_calls,
        toString(coalesce(sum(cost), 0)) AS x_cost, count() OVER (PARTITION BY x_at) AS x_distinct
      ${from} WHERE isNotNull(g) GROUP BY x_at, x_text ORDER BY x_at, x_calls DESC, x_text LIMIT ${MOST_TEXTS} BY x_at`,
  );
  const byKey = Map.groupBy(rows ?? [], (row) => keys[countOf(row, 'x_at')] ?? '');
  return new Map(
    Array.from(byKey, ([key, found]) => {
      const [first] = found;
      const common = found.map((row) => toUsage(row, (value) => filterOf(key, value)));
      return [key, { common, distinct: first === undefined ? 0 : countOf(first, 'x_distinct') }];
    }),
  );
}

export async function valuesOfKey(report: Report, key: string): Promise<KeyUsage> {
  const [distinct = 0] = await distinctValues(report, [key]);
  return { common: await usages(report, tagValues(key), (value) => filterOf(key, value)), distinct };
}

function filterOf(key: string, value: string): Readonly<Record<string, string>> {
  return { tags: formatTagFilter([{ kind: 'dimension', key, values: [value] }]) };
}

export function labelsInUse(report: Report): Promise<readonly Usage[]> {
  return usages(report, listOf('label'), (label) => ({ tags: formatTagFilter([{ kind: 'label', label }]) }));
}

export function pathsInUse(report: Report): Promise<readonly Usage[]> {
  return usages(report, listOf('path'), (path) => ({
    tags: formatTagFilter([{ kind: 'path', segments: path.split('/') }]),
  }));
}

export function sessionsInUse(report: Report): Promise<readonly Usage[]> {
  return usages(report, SESSION, (id) => ({ session_id: id }));
}

async function usages(
  report: Report,
  source: Source,
  filterFor: (text: string) => Readonly<Record<string, string>>,
): Promise<readonly Usage[]> {
  const rows = await report.sums(
    source,
    (
      from,
    ) => `SELECT assumeNotNull(g) AS x_text, sum(counts_call) AS x_calls, toString(coalesce(sum(cost), 0)) AS x_cost
      ${from} WHERE isNotNull(g) GROUP BY x_text ORDER BY x_calls DESC, x_text LIMIT ${MOST_TEXTS}`,
  );
  return rows.map((row) => toUsage(row, filterFor));
}

function toUsage(row: Row, filterFor: (text: string) => Usage['filter']): Usage {
  const text = textOf(row, 'x_text');
  return { text, calls: countOf(row, 'x_calls'), cost: moneyOf(row, 'x_cost'), filter: filterFor(text) };
}

export type WireUsage = {
  readonly text: string;
  readonly calls: number;
  readonly cost: number;
  readonly cost_exact: string;
  readonly filter: Usage['filter'];
};

export function toWireUsage({ text, calls, cost, filter }: Usage): WireUsage {
  return { text, calls, cost: usdNumber(cost), cost_exact: formatUsd(cost), filter };
}
