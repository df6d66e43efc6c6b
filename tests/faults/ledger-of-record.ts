import { join } from 'node:path';
import { readEntries } from '#ledger/read';

/** What a judgement needs of the journal, small enough for a long run. */
export type LedgerOfRecord = {
  readonly entries: number;
  /** By the provider's id of the answer: what is settled, in pico-dollars. */
  readonly settled: ReadonlyMap<string, bigint>;
  readonly settledSum: bigint;
  readonly inDoubt: number;
  readonly atRisk: bigint;
  /** Entries in doubt that do not say how much is at risk. */
  readonly boundless: number;
  /** Each entry in order as the store should have it. */
  readonly rows: readonly string[];
  /** What is there twice: entries, attempts, answers of the provider; and numbers out of order. Nothing, if all is well. */
  readonly faults: readonly string[];
};

type WireEntry = {
  entry_id: string;
  call_id: string;
  attempt: number;
  kind: string;
  upstream_id: string;
  cost_state: string;
  cost: string | null;
  at_risk: string | null;
};

export function readLedgerOfRecord(dataDir: string): LedgerOfRecord {
  const settled = new Map<string, bigint>();
  const seen = new Set<string>();
  const rows: string[] = [];
  const faults: string[] = [];
  const once = (what: string): void => {
    if (seen.has(what)) faults.push(`${what} is there twice`);
    seen.add(what);
  };
  let settledSum = 0n;
  let atRisk = 0n;
  let inDoubt = 0;
  let boundless = 0;
  for (const { seq, body } of readEntries(join(dataDir, 'journal'))) {
    const entry: WireEntry = JSON.parse(body.toString());
    rows.push(rowText(seq, entry));
    if (seq !== rows.length) faults.push(`entry ${seq} stands at place ${rows.length}`);
    once(`entry ${entry.entry_id}`);
    if (entry.kind === 'attempt') once(`attempt ${entry.call_id}.${entry.attempt}`);
    if (entry.upstream_id !== '') once(`answer ${entry.upstream_id}`);
    if (entry.cost !== null) {
      settledSum += BigInt(entry.cost);
      if (entry.upstream_id !== '') settled.set(entry.upstream_id, BigInt(entry.cost));
    }
    if (entry.cost_state === 'in_doubt') {
      inDoubt += 1;
      if (entry.at_risk === null) boundless += 1;
      else atRisk += BigInt(entry.at_risk);
    }
  }
  return { entries: rows.length, settled, settledSum, inDoubt, atRisk, boundless, rows, faults };
}

type Row = Pick<WireEntry, 'entry_id' | 'cost_state' | 'cost' | 'at_risk'>;

/** One entry as a line, the same from the journal and from the store. */
export function rowText(seq: number, { entry_id: id, cost_state: state, cost, at_risk: atRisk }: Row): string {
  return `${seq} ${id} ${state} ${cost ?? '-'} ${atRisk ?? '-'}`;
}
