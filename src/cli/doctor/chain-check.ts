import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Findings } from '#ledger/check';
import { verifyChain } from '#ledger/chain';
import type { LedgerNode } from './ledger-nodes.ts';

/** Compares a node's entries with the digests, heads and roots that were written down of them. @returns figures */
export function checkChain({ journalDir }: LedgerNode, findings: Findings): Readonly<Record<string, number>> {
  const dir = dirname(journalDir);
  if (!existsSync(join(dir, 'chain'))) return {};
  const { broken, compared } = verifyChain(dir);
  if (broken !== null) {
    const { seq, through, why } = broken;
    findings.fault('chain.intact', through > seq ? `${why}, up to entry ${through}` : why, { seq });
  }
  return { chained: compared.entries, heads: compared.heads, roots: compared.roots };
}
