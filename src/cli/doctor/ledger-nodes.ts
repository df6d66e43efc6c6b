import { join } from 'node:path';
import {
  type CallsElsewhere,
  checkJournal,
  checkShipping,
  LedgerTotals,
  readNodeId,
  readShipping,
  type Findings,
  type JournalChecked,
  type ShippingState,
} from '#ledger/check';
import { listAdopted } from '#ledger/backup';

/** A journal in a data directory: the node's own, or that of a node it adopted. All of them are in one store. */
export type LedgerNode = {
  readonly nodeId: string | null;
  readonly journalDir: string;
  /** Nobody writes the journal of a node that was adopted. */
  readonly writer: 'running' | 'stopped';
  readonly server: 'running' | 'stopped';
  readonly shipping: ShippingState;
  /** Names files of this journal. */
  readonly findings: Findings;
};

export type ReadNode = LedgerNode & { readonly journal: JournalChecked; readonly totals: LedgerTotals };

type NodesDeps = { readonly dir: string; readonly server: 'running' | 'stopped'; readonly findings: Findings };

/** The node's own journal first. */
export async function listNodes({ dir, server, findings }: NodesDeps): Promise<readonly [LedgerNode, ...LedgerNode[]]> {
  const own: LedgerNode = {
    nodeId: readNodeId(dir, findings),
    journalDir: join(dir, 'journal'),
    writer: server,
    server,
    shipping: await readShipping(dir, 'store'),
    findings,
  };
  const adopted = listAdopted(dir).map(async ({ nodeId, journalDir }): Promise<LedgerNode> => {
    const shipping = await readShipping(dir, `store/adopted/${nodeId}`);
    return { nodeId, journalDir, writer: 'stopped', server, shipping, findings: findings.within(`adopted/${nodeId}`) };
  });
  return [own, ...(await Promise.all(adopted))];
}

type ReadDeps = { readonly findings: Findings; readonly elsewhere: CallsElsewhere | null };

/** Reads a node's journal, and adds it up as far as the store and the reports have seen it. */
export function readNode(node: LedgerNode, cuts: readonly number[], { findings, elsewhere }: ReadDeps): ReadNode {
  const { journalDir, nodeId, writer, shipping } = node;
  const totals = new LedgerTotals({ cuts: [throughOf(node), ...cuts], aside: new Set(shipping.aside) });
  const journal = checkJournal({ dir: journalDir, nodeId, findings: node.findings, writer, totals, elsewhere });
  checkShipping(shipping, { nodeId, lastSeq: journal.lastSeq, server: node.server }, findings);
  return { ...node, journal, totals };
}

/** The last entry of a node that was shipped. */
export function throughOf({ shipping }: LedgerNode): number {
  return shipping.shipping?.through ?? 0;
}

/** What reports show of an adopted node: all that is in the store, and so nothing exact while it is being shipped. */
export function isSettled({ shipping, journal, server }: ReadNode): boolean {
  if (server === 'stopped') return (shipping.shipping?.sending ?? null) === null;
  return (shipping.shipping?.through ?? 0) === (journal.lastSeq ?? 0);
}
