import { join } from 'node:path';
import {
  checkStored,
  compareRows,
  compareSums,
  openStoreSession,
  type Findings,
  type LedgerTotals,
  type ShippingState,
  type StoreSession,
} from '#ledger/check';
import { readEntries } from '#ledger/read';
import { ApportionError } from '#terms';

export type Comparison = {
  readonly journalDir: string;
  /** What the journal still has, and the store is said to have. */
  readonly range: { readonly first: number; readonly last: number };
  readonly retiredSeq: number;
  readonly totals: LedgerTotals;
  readonly rows: 'all' | 'of days that differ';
};

/** The store of a stopped server. */
export type StoreToCheck = {
  readonly session: StoreSession;
  readonly nodeId: string;
  /** The last entry that was shipped. */
  readonly through: number;
  compare(comparison: Comparison): Promise<Readonly<Record<string, number>>>;
  close(): void;
};

type StoreDeps = { readonly findings: Findings; readonly shipping: ShippingState; readonly nodeId: string | null };

/** Null when there is none, or none that can be opened: then that is a finding, and the next start builds it anew. */
export async function openStoreToCheck(dir: string, deps: StoreDeps): Promise<StoreToCheck | null> {
  const { findings, shipping } = deps;
  const nodeId = deps.nodeId ?? shipping.shipping?.nodeId ?? '';
  let session: StoreSession | null;
  try {
    session = await openStoreSession(join(dir, 'store'));
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    findings.fault('store.shipping', error.message, { file: 'store/chdb' });
    return null;
  }
  if (session === null) {
    if (shipping.shipping !== null)
      findings.fault('store.shipping', 'the store is gone; the next start builds it anew', { file: 'store/chdb' });
    return null;
  }
  const opened = session;
  return {
    session: opened,
    nodeId,
    through: shipping.shipping?.through ?? 0,
    compare: (comparison) => compareStore(opened, { ...deps, nodeId }, comparison),
    close: () => opened.close(),
  };
}

async function compareStore(
  session: StoreSession,
  { findings, shipping, nodeId }: StoreDeps & { readonly nodeId: string },
  { journalDir, range, retiredSeq, totals, rows }: Comparison,
): Promise<Readonly<Record<string, number>>> {
  const stored = await checkStored(session, shipping, { nodeId, retiredSeq, findings });
  const owed = totals.upTo(range.last);
  const differing = await compareSums(session, { range: { nodeId, ...range }, owed }, findings);
  const figures = { rows: stored.rows, last: stored.lastSeq, days: owed.size };
  if (rows === 'of days that differ' && differing.length === 0) return figures;
  const aside = new Set(shipping.aside);
  const entries = readEntries(journalDir, { after: range.first - 1, through: range.last });
  try {
    const compared = await compareRows({ nodeId, store: session, findings }, { entries, aside });
    return { ...figures, compared_rows: compared };
  } catch (error) {
    // Behind damage there is nothing to compare with, and the damage is told already.
    if (!(error instanceof ApportionError)) throw error;
    return figures;
  }
}
