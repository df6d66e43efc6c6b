import {
  checkRollUps,
  checkStored,
  compareRows,
  compareSums,
  openServerSession,
  openStoreSession,
  type Findings,
  type StoreSession,
} from '#ledger/check';
import type { ClickHouseConfig } from '#config';
import { readEntries } from '#ledger/read';
import { ApportionError } from '#terms';
import { throughOf, type ReadNode } from './ledger-nodes.ts';

export type StoreToCheck = {
  readonly storeDir: string;
  /** Where the store is instead. */
  readonly clickHouse: ClickHouseConfig | null;
  readonly findings: Findings;
  /** Whether anything was ever sent to it. */
  readonly shipped: boolean;
  readonly skipped: { what: string; why: string }[];
};

/**
 * Opens the store of a stopped server. Null when there is none, or none that can be opened: then that is a finding, and the next start
 * builds it anew. What is wrong with a server is not wrong with the data.
 */
export async function openStoreToCheck(at: StoreToCheck): Promise<StoreSession | null> {
  const { storeDir, clickHouse, findings, shipped, skipped } = at;
  const place = { file: 'store/chdb' };
  try {
    if (clickHouse !== null) return await openServerSession(clickHouse);
    const session = await openStoreSession(storeDir);
    if (session === null && shipped)
      findings.fault(
        'store.shipping',
        'the store is gone; the next start builds it anew. If it is on a ClickHouse server, set CLICKHOUSE_URL for this command too',
        place,
      );
    return session;
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    const why = `${error.message} ${error.hint ?? ''}`.trim();
    if (clickHouse === null) findings.fault('store.shipping', why, place);
    else skipped.push({ what: 'the store on the ClickHouse server', why });
    return null;
  }
}

export type Comparison = {
  readonly store: StoreSession;
  readonly rows: 'all' | 'of days that differ';
  readonly findings: Findings;
};

/** Compares what the store has of a node with its journal. @returns figures */
export async function compareNode(
  { store, rows, findings }: Comparison,
  node: ReadNode,
): Promise<Readonly<Record<string, number>>> {
  const { journalDir, journal, totals, shipping } = node;
  const nodeId = node.nodeId ?? shipping.shipping?.nodeId ?? '';
  const range = { nodeId, first: journal.firstSeq ?? 1, last: throughOf(node) };
  const stored = await checkStored(store, shipping, { nodeId, retiredSeq: journal.retiredSeq, findings });
  const owed = totals.upTo(range.last);
  const differing = await compareSums(store, { range, owed }, findings);
  const rollUps = await checkRollUps(store, nodeId, findings);
  const figures = { rows: stored.rows, last: stored.lastSeq, days: owed.size, roll_ups: rollUps };
  if (rows === 'of days that differ' && differing.length === 0) return figures;
  const entries = readEntries(journalDir, { after: range.first - 1, through: range.last });
  try {
    const compared = await compareRows({ nodeId, store, findings }, { entries, aside: new Set(shipping.aside) });
    return { ...figures, compared_rows: compared };
  } catch (error) {
    // Behind damage there is nothing to compare with, and the damage is told already.
    if (!(error instanceof ApportionError)) throw error;
    return figures;
  }
}
