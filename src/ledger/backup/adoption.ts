import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { fencedBy, raiseFence } from '../directory-fence.ts';
import { syncDirectory } from '../journal/disk.ts';
import { openJournal } from '../journal/journal.ts';
import type { Recovered } from '../journal/recovery.ts';
import { readMark } from '../journal/synced-mark.ts';
import { acquireLock, type Lock } from '../lock.ts';
import { readNode, requireNode, writeNode, type NodeIdentity } from '../node-file.ts';
import { copyFile } from './copied-file.ts';
import { copyJournal, readCopy } from './journal-copy.ts';

export type AdoptionRequest = {
  /** The data directory of the other node, whose server is stopped for ever. */
  readonly from: string;
  /** Ours; its server may run. */
  readonly dataDir: string;
  readonly clock: Clock;
};

export type Adoption = {
  readonly nodeId: string;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Attempts that ran when the other node ended; each has got an `in_doubt` entry. */
  readonly inDoubt: number;
  /** False when the other directory cannot be written: nothing then keeps a server from starting on it. */
  readonly fenced: boolean;
};

/**
 * Copies another node's journal into ours, where it is kept and shipped beside our own, under its own node id and the next epoch. The other directory gets
 * a fence, and is not changed otherwise. Cut short, it is done anew by the next one.
 */
export async function adoptNode({ from, dataDir, clock }: AdoptionRequest): Promise<Adoption> {
  const [ours, theirs] = [requireNode(dataDir), readNode(from)];
  if (theirs === null) throw notData(from);
  checkOthers({ ours, theirs, from, dataDir });
  const lock = await lockOther(from);
  try {
    const partial = `${adoptedDir(dataDir, theirs.node_id)}.partial`;
    const epoch = theirs.epoch + 1;
    const recovered = await copyAndClose({ from, partial, clock, node: { ...theirs, epoch, host: hostname() } });
    const { firstSeq, lastSeq } = readCopy(join(partial, 'journal'));
    const fenced = fence(from, { by: ours.node_id, into: dataDir, at: new Date(clock.now()).toISOString() });
    renameSync(partial, adoptedDir(dataDir, theirs.node_id));
    syncDirectory(join(dataDir, ADOPTED));
    return { nodeId: theirs.node_id, epoch, firstSeq, lastSeq, inDoubt: recovered.inDoubt, fenced };
  } finally {
    lock?.release();
  }
}

const ADOPTED = 'adopted';

function adoptedDir(dataDir: string, nodeId: string): string {
  return join(dataDir, ADOPTED, nodeId);
}

type Both = {
  readonly ours: NodeIdentity;
  readonly theirs: NodeIdentity;
  readonly from: string;
  readonly dataDir: string;
};

function checkOthers({ ours, theirs, from, dataDir }: Both): void {
  if (theirs.node_id === ours.node_id)
    throw new ApportionError('conflict', `${from} is a copy of this node's own data (${ours.node_id}).`, {
      hint: 'A node has its own entries already. To go back to a copy, restore a backup into a directory of its own.',
    });
  if (existsSync(adoptedDir(dataDir, theirs.node_id)))
    throw new ApportionError('conflict', `${theirs.node_id} was adopted already.`, {
      hint: 'Its entries are in this ledger; nothing was changed.',
    });
  const by = fencedBy(from, 'adopted.json');
  if (by !== null && by !== ours.node_id)
    throw new ApportionError('conflict', `${theirs.node_id} was adopted by ${by}.`, {
      hint: 'Its entries are in the ledger of that node; in this one as well they would count twice.',
    });
}

function notData(dir: string): ApportionError {
  return new ApportionError('not_found', `${dir} is no data directory: it has no node.json.`);
}

/** Refuses while a server runs there. Null where no lock can be taken, as on a file system that is only read. */
async function lockOther(from: string): Promise<Lock | null> {
  try {
    return await acquireLock(join(from, 'lock.db'), { role: 'adoption', waitMs: 0 });
  } catch (error) {
    if (error instanceof ApportionError) throw error;
    return null;
  }
}

type Copying = {
  readonly from: string;
  readonly partial: string;
  readonly node: NodeIdentity;
  readonly clock: Clock;
};

/** Opened once and closed: what was torn is cut off, and every attempt gets its entry. */
async function copyAndClose({ from, partial, node, clock }: Copying): Promise<Recovered> {
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(join(partial, 'journal'), { recursive: true, mode: 0o700 });
  copyJournal({ dataDir: from, to: partial, server: 'stopped', sealed: 'copied' });
  for (const path of keptBeside(from)) copyFile(join(from, path), { dir: partial, path });
  const journal = await openJournal({
    dir: join(partial, 'journal'),
    nodeId: node.node_id,
    epoch: node.epoch,
    clock,
  });
  await journal.close();
  writeNode(partial, node);
  for (const folder of ['journal', '']) syncDirectory(join(partial, folder));
  return journal.recovered;
}

/** What the other node wrote down of its chain goes with its entries: with it they can be verified here. */
function keptBeside(from: string): string[] {
  const chain = join(from, 'chain');
  return existsSync(chain) ? readdirSync(chain).map((name) => `chain/${name}`) : [];
}

function fence(from: string, facts: { readonly by: string; readonly into: string; readonly at: string }): boolean {
  try {
    raiseFence(from, 'adopted.json', facts);
    return true;
  } catch (error) {
    const readOnly = ['EROFS', 'EACCES', 'EPERM'];
    if (error instanceof Error && 'code' in error && readOnly.includes(String(error.code))) return false;
    throw error;
  }
}

export type AdoptedNode = { readonly nodeId: string; readonly journalDir: string; readonly lastSeq: number };

/** The nodes whose entries are kept in a data directory beside its own. Nothing is ever added to them. */
export function listAdopted(dataDir: string): AdoptedNode[] {
  const dir = join(dataDir, ADOPTED);
  if (!existsSync(dir)) return [];
  const nodes = readdirSync(dir).filter(
    (name) => !name.endsWith('.partial') && statSync(join(dir, name)).isDirectory(),
  );
  return nodes.map((nodeId) => {
    const journalDir = join(dir, nodeId, 'journal');
    return { nodeId, journalDir, lastSeq: readMark(journalDir)?.seq ?? 0 };
  });
}
