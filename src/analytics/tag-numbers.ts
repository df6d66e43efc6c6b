import { formatUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import { isoOf } from './event.ts';
import { sentList, type SentList } from './grouping.ts';
import { countOf, moneyOf, textOf, textsOf, type Row } from './reader.ts';
import type { Report } from './report.ts';
import { percentOf, shareOf } from './share.ts';

/** What somebody wrote down about a tag. */
export type TagNote = { readonly description: string | null; readonly owner: string | null };

/** By name: a key (`team`), a label (`beta`), a tag as LiteLLM names it (`team:growth`). */
export type TagNotes = ReadonlyMap<string, TagNote>;

/** What is known of a key, a label or a path in a period. */
export type TagNumbers = {
  readonly name: string;
  readonly calls: number;
  readonly cost: PicoUsd;
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  /** How many keys send it, and those that do most. */
  readonly senders: number;
  readonly sentBy: readonly WireSender[];
};

/** A name that no call carries. */
export function unseenTag(name: string): TagNumbers {
  return { name, calls: 0, cost: ZERO_USD, firstSeen: null, lastSeen: null, senders: 0, sentBy: [] };
}

type WireSender = {
  readonly key_id: string;
  readonly key_name: string;
  /** Who the key belongs to; null when it does not say. */
  readonly key_owner: string | null;
  readonly calls: number;
};

const SENDERS = 10;

export type TagNumbersAsk = {
  readonly limit: number;
  /** The only name to look at. */
  readonly only?: string;
};

/** The dearest names of a list that entries have, each call counted once per name. */
export async function tagNumbers(
  report: Report,
  list: SentList,
  { limit, only }: TagNumbersAsk,
): Promise<readonly TagNumbers[]> {
  const rows = await report.sums(sentList(list), (from, { bind }) => {
    const which = only === undefined ? '' : `AND g = ${bind('String', only)}`;
    // From the inside: per name and key, per name. A key is called what it was called last.
    return `SELECT name AS x_name, sum(calls1) AS x_calls, toString(coalesce(sum(cost1), 0)) AS x_cost,
        toUnixTimestamp64Milli(min(first1)) AS x_first, toUnixTimestamp64Milli(max(last1)) AS x_last, count() AS x_senders,
        arraySlice(arrayReverseSort(s -> s.1, groupArray((calls1, key_id, key_name1, key_owner1))), 1, ${SENDERS}) AS top,
        arrayMap(s -> toString(s.1), top) AS x_sender_calls, arrayMap(s -> s.2, top) AS x_sender_ids,
        arrayMap(s -> s.3, top) AS x_sender_names, arrayMap(s -> s.4, top) AS x_sender_owners
      FROM (SELECT assumeNotNull(g) AS name, key_id, argMax(key_name, seq) AS key_name1, argMax(key_owner, seq) AS key_owner1,
          sum(counts_call) AS calls1, sum(cost) AS cost1, min(first_at) AS first1, max(last_at) AS last1
        ${from} WHERE isNotNull(g) ${which} GROUP BY name, key_id)
      GROUP BY name ORDER BY coalesce(sum(cost1), 0) DESC, name LIMIT ${bind('UInt32', limit)}`;
  });
  return rows.map(fromRow);
}

function fromRow(row: Row): TagNumbers {
  const names = textsOf(row, 'x_sender_names');
  const owners = textsOf(row, 'x_sender_owners');
  const calls = textsOf(row, 'x_sender_calls');
  return {
    name: textOf(row, 'x_name'),
    calls: countOf(row, 'x_calls'),
    cost: moneyOf(row, 'x_cost'),
    firstSeen: isoOf(row, 'x_first'),
    lastSeen: isoOf(row, 'x_last'),
    senders: countOf(row, 'x_senders'),
    sentBy: textsOf(row, 'x_sender_ids').map((id, at) => ({
      key_id: id,
      key_name: names[at] ?? '',
      key_owner: owners[at] === '' ? null : (owners[at] ?? null),
      calls: Number(calls[at]),
    })),
  };
}

export type WireTagNumbers = {
  readonly calls: number;
  readonly cost: number;
  readonly cost_exact: string;
  /** Of all cost of the report, from 0 to 1; null when nothing was spent. */
  readonly cost_share: number | null;
  /** The same in percent: how many of the dollars carry it. */
  readonly coverage_percent: number | null;
  readonly first_seen: string | null;
  readonly last_seen: string | null;
  readonly senders: number;
  readonly sent_by: readonly WireSender[];
  readonly description: string | null;
  readonly owner: string | null;
};

export function toWireTagNumbers(
  numbers: TagNumbers,
  context: { readonly total: PicoUsd; readonly notes: TagNotes },
): WireTagNumbers {
  const note = context.notes.get(numbers.name);
  return {
    calls: numbers.calls,
    cost: usdNumber(numbers.cost),
    cost_exact: formatUsd(numbers.cost),
    cost_share: shareOf(numbers.cost, context.total),
    coverage_percent: percentOf(numbers.cost, context.total),
    first_seen: numbers.firstSeen,
    last_seen: numbers.lastSeen,
    senders: numbers.senders,
    sent_by: numbers.sentBy,
    description: note?.description ?? null,
    owner: note?.owner ?? null,
  };
}
