import { formatUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import type { Bindings } from './bindings.ts';
import { isoOf } from './event.ts';
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

/** Where the names of an entry are: the columns to sum up by first, and the names in them as an array. */
export type NameSource = {
  readonly columns: readonly string[];
  readonly names: string;
  /** Further conditions, each beginning with AND. */
  readonly where?: string;
};

const SENDERS = 10;

/** The dearest names, each call counted once per name. */
export async function tagNumbers(
  report: Report,
  sourceFor: (bindings: Bindings) => NameSource,
  limit: number,
): Promise<readonly TagNumbers[]> {
  const rows = await report.rows((from, bindings) => {
    const { columns, names, where = '' } = sourceFor(bindings);
    const by = [...columns, 'key_id'].join(', ');
    // From the inside: per set of names and key, per name and key, per name.
    return `SELECT name AS x_name, sum(calls2) AS x_calls, toString(coalesce(sum(cost2), 0)) AS x_cost,
        toUnixTimestamp64Milli(min(first2)) AS x_first, toUnixTimestamp64Milli(max(last2)) AS x_last, count() AS x_senders,
        arraySlice(arrayReverseSort(s -> s.1, groupArray((calls2, key_id, key_name2, key_owner2))), 1, ${SENDERS}) AS top,
        arrayMap(s -> toString(s.1), top) AS x_sender_calls, arrayMap(s -> toString(s.2), top) AS x_sender_ids,
        arrayMap(s -> toString(s.3), top) AS x_sender_names, arrayMap(s -> toString(s.4), top) AS x_sender_owners
      FROM (SELECT arrayJoin(arrayDistinct(${names})) AS name, key_id, any(key_name1) AS key_name2,
          any(key_owner1) AS key_owner2, sum(calls1) AS calls2, sum(cost1) AS cost2, min(first1) AS first2, max(last1) AS last2
        FROM (SELECT ${by}, any(key_name) AS key_name1, any(key_owner) AS key_owner1, sum(counts_call) AS calls1,
            sum(cost) AS cost1, min(effective_at) AS first1, max(effective_at) AS last1 ${from} ${where} GROUP BY ALL)
        GROUP BY name, key_id)
      WHERE name != '' GROUP BY name ORDER BY coalesce(sum(cost2), 0) DESC, name LIMIT ${bindings.bind('UInt32', limit)}`;
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
