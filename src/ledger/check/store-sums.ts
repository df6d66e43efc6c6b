import type { Findings } from './finding.ts';
import { SUMMED_COLUMNS, type SummedColumn } from './ledger-sums.ts';
import type { DaySums } from './ledger-totals.ts';
import type { StoreSession } from './store-session.ts';
import { DETAIL_IS_GONE } from '../store/detail.ts';
import { ENTRIES } from '../store/schema.ts';

/** What of the store is compared: a node's rows of a range of numbers. */
export type StoredRange = { readonly nodeId: string; readonly first: number; readonly last: number };

/** SQL of each sum; `toInt128` because 64 bits wrap. */
const SQL: Readonly<Record<SummedColumn, string>> = {
  entries: 'count()',
  seqs: 'sum(toInt128(seq))',
  known: 'count(cost)',
  cost: 'sum(cost)',
  list_cost: 'sum(list_cost)',
  billed: 'sum(billed)',
  computed_cost: 'sum(computed_cost)',
  risk: 'sum(at_risk)',
  reserved: 'sum(reserved)',
  moved_cost: 'sum(moved_cost)',
  lines: 'sum(arrayFold((sum, amount) -> sum + amount, charges.amount, toInt128(0)))',
  input_tokens: 'sum(toInt128(input_tokens))',
  output_tokens: 'sum(toInt128(output_tokens))',
  calls: 'sum(toInt128(counts_call))',
};

const COLUMNS = SUMMED_COLUMNS.map((name) => `toString(coalesce(${SQL[name]}, 0)) AS s_${name}`).join(', ');

const WORDS: Readonly<Record<SummedColumn, string>> = {
  entries: 'entries',
  seqs: 'as the sum of their numbers',
  known: 'known costs',
  cost: 'pico-dollars of cost',
  list_cost: 'pico-dollars of list cost',
  billed: 'pico-dollars billed',
  computed_cost: 'pico-dollars of computed cost',
  risk: 'pico-dollars at risk',
  reserved: 'pico-dollars reserved',
  moved_cost: 'pico-dollars moved between states',
  lines: 'pico-dollars of price lines',
  input_tokens: 'input tokens',
  output_tokens: 'output tokens',
  calls: 'calls',
};

/** Compares the store with the journal, day by day and column by column. @returns the days that differ */
export async function compareSums(
  store: StoreSession,
  { range, owed }: { readonly range: StoredRange; readonly owed: DaySums },
  findings: Findings,
): Promise<readonly string[]> {
  const rows = await store.query<Readonly<Record<string, string>>>(
    `SELECT toString(toDate(effective_at, 'UTC')) AS day, toString(countIf(${DETAIL_IS_GONE})) AS gone, ${COLUMNS} FROM ${ENTRIES}
     WHERE node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {last:UInt64} GROUP BY day`,
    { node: range.nodeId, first: range.first, last: range.last },
  );
  const stored = new Map(rows.map((row) => [row['day'] ?? '', row]));
  const days = [...new Set([...owed.keys(), ...stored.keys()])].toSorted();
  return days.filter((day) => {
    const differing = SUMMED_COLUMNS.filter(
      (name) =>
        textOf(owed, day, name) !== (stored.get(day)?.[`s_${name}`] ?? '0') &&
        // Lines are detail: where the retention of some entries is over, theirs are not there, and their costs are.
        !(name === 'lines' && (stored.get(day)?.['gone'] ?? '0') !== '0'),
    );
    for (const name of differing) {
      const has = stored.get(day)?.[`s_${name}`] ?? '0';
      findings.fault(
        'store.sums',
        `on ${day} it has ${has} ${WORDS[name]}, and the journal ${textOf(owed, day, name)}`,
      );
    }
    return differing.length > 0;
  });
}

function textOf(owed: DaySums, day: string, name: SummedColumn): string {
  return (owed.get(day)?.get(name) ?? 0n).toString();
}
