import { UNTAGGED } from '#tags';
import { formatUsd, picoUsd, usdNumber, type PicoUsd } from '#terms';
import { sentList } from '../grouping.ts';
import type { Measures } from '../measures.ts';
import { countOf, moneyOf, textOf } from '../reader.ts';
import type { Report } from '../report.ts';
import { percentOf } from '../share.ts';
import type { Usage } from './usage.ts';

type WireGap = {
  readonly calls: number;
  readonly cost: number;
  readonly cost_exact: string;
  /** Of what was spent: in all, or by the api key. */
  readonly percent: number | null;
  readonly filter: Readonly<Record<string, string>>;
};

/** What calls without a key cost. */
export type WireKeyGap = WireGap & { readonly key: string };

/** What a key's calls without any tag cost. */
export type WireSenderGap = WireGap & {
  readonly key_id: string;
  readonly key_name: string;
  readonly key_owner: string | null;
};

function toWireGap(calls: number, cost: PicoUsd, whole: PicoUsd): Omit<WireGap, 'filter'> {
  return { calls, cost: usdNumber(cost), cost_exact: formatUsd(cost), percent: percentOf(cost, whole) };
}

/** Keys that leave something out, in the order they come in. */
export function gapsByKey(keys: readonly Usage[], total: Measures): readonly WireKeyGap[] {
  return keys
    .filter(({ calls }) => calls < total.events)
    .map(({ text, calls, cost }) => ({
      key: text,
      ...toWireGap(total.events - calls, picoUsd(total.cost - cost), total.cost),
      filter: { tags: `${text}:${UNTAGGED}` },
    }));
}

const MOST_SENDERS = 100;

/** Who sends calls without any tag, dearest first. */
export async function gapsBySender(report: Report): Promise<readonly WireSenderGap[]> {
  const rows = await report.sums(
    sentList('untagged'),
    (from) => `SELECT key_id AS x_id, argMax(key_name, seq) AS x_name, argMax(key_owner, seq) AS x_owner,
        sumIf(counts_call, isNotNull(g)) AS x_calls, toString(coalesce(sumIf(cost, isNotNull(g)), 0)) AS x_cost,
        toString(coalesce(sum(cost), 0)) AS x_whole
      ${from} GROUP BY key_id HAVING sumIf(counts_call, isNotNull(g)) > 0
      ORDER BY coalesce(sumIf(cost, isNotNull(g)), 0) DESC, key_id LIMIT ${MOST_SENDERS}`,
  );
  return rows.map((row) => {
    const owner = textOf(row, 'x_owner');
    return {
      key_id: textOf(row, 'x_id'),
      key_name: textOf(row, 'x_name'),
      key_owner: owner === '' ? null : owner,
      ...toWireGap(countOf(row, 'x_calls'), moneyOf(row, 'x_cost'), moneyOf(row, 'x_whole')),
      filter: { 'key.id': textOf(row, 'x_id') },
    };
  });
}
