import {
  checkStored,
  compareRows,
  compareSums,
  openStoreSession,
  type Findings,
  type StoreSession,
} from '#ledger/check';
import { readEntries } from '#ledger/read';
import { ApportionError } from '#terms';
import { throughOf, type ReadNode } from './ledger-nodes.ts';

/**
 * Opens the store of a stopped server. Null when there is none, or none that can be opened: then that is a finding, and the next start
 * builds it anew. @param shipped whether anything was ever sent to it
 */
export async function openStoreToCheck(
  storeDir: string,
  { findings, shipped }: { readonly findings: Findings; readonly shipped: boolean },
): Promise<StoreSession | null> {
  const place = { file: 'store/chdb' };
  try {
    const session = await openStoreSession(storeDir);
    if (session === null && shipped)
      findings.fault('store.shipping', 'the store is gone; the next start builds it anew', place);
    return session;
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    findings.fault('store.shipping', `${error.message} ${error.hint ?? ''}`.trim(), place);
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
  const figures = { rows: stored.rows, last: stored.lastSeq, days: owed.size };
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
