import { formatTagFilter } from '#tags';
import { formatUsd, usdNumber, type PicoUsd } from '#terms';
import { listOf, SESSION, tagValues } from '../grouping.ts';
import { countOf, moneyOf, textOf } from '../reader.ts';
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

export function valuesOfKey(report: Report, key: string): Promise<readonly Usage[]> {
  return usages(report, tagValues(key), (value) => ({
    tags: formatTagFilter([{ kind: 'dimension', key, values: [value] }]),
  }));
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
  return rows.map((row) => {
    const text = textOf(row, 'x_text');
    return { text, calls: countOf(row, 'x_calls'), cost: moneyOf(row, 'x_cost'), filter: filterFor(text) };
  });
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
