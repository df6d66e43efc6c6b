import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ApportionError } from '#terms';
import { systemClock } from '#std';
import { checkFences } from './directory-fence.ts';
import { createDurably, syncDirectory } from './journal/disk.ts';
import { acquireLock } from './lock.ts';
import { readNode, writeNode, type NodeIdentity } from './node-file.ts';

/** A node's files, held by this process alone until released. */
export type DataDir = {
  readonly path: string;
  /** `node_…`, made with the directory. Sequence numbers count per node. */
  readonly nodeId: string;
  /** 1, and one more each time the directory is opened on another host or restored from a backup. */
  readonly epoch: number;
  /** The host it ran on before, when this is another one: just now its epoch was raised. */
  readonly movedFrom: string | null;
  readonly createdAt: string;
  readonly journalDir: string;
  readonly storeDir: string;
  /** 32 random bytes made with the directory: keyed hashes group within it and cannot be guessed outside. */
  readonly secret: Buffer;
  release(): void;
};

/** Makes what is missing. Rejects when another process holds the directory, naming it. */
export async function openDataDir(dir: string): Promise<DataDir> {
  const journalDir = join(dir, 'journal');
  const storeDir = join(dir, 'store');
  // Before anything is made there, and again when nobody else can change it.
  checkFences(dir);
  for (const folder of [dir, journalDir, storeDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(join(dir, 'lock.db'), { role: 'gateway', waitMs: 0 });
  try {
    syncDirectory(dir);
    checkFences(dir);
    const { node, movedFrom } = takeNode(dir);
    return {
      path: dir,
      nodeId: node.node_id,
      epoch: node.epoch,
      movedFrom,
      createdAt: node.created_at,
      journalDir,
      storeDir,
      secret: readSecret(dir),
      release: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

const SECRET_NAME = 'secret.key';
const SECRET_BYTES = 32;

function readSecret(dir: string): Buffer {
  const path = join(dir, SECRET_NAME);
  if (!existsSync(path)) createDurably(path, (fd) => writeSync(fd, randomBytes(SECRET_BYTES)));
  const secret = readFileSync(path);
  if (secret.length === SECRET_BYTES) return secret;
  throw new ApportionError('journal_unavailable', `${path} is not ${SECRET_BYTES} bytes long.`, {
    hint: 'Restore the file from a backup: hashes in the ledger were made with it.',
  });
}

/**
 * The directory's identity. One that comes from another host was moved or copied there: its epoch rises, so that what is written from now on can
 * be told from what a copy left behind may write.
 */
function takeNode(dir: string): { readonly node: NodeIdentity; readonly movedFrom: string | null } {
  const known = readNode(dir);
  const host = hostname();
  if (known?.host === host) return { node: known, movedFrom: null };
  const node = known === null ? newNode(host) : { ...known, epoch: known.epoch + (known.host === '' ? 0 : 1), host };
  writeNode(dir, node);
  return { node, movedFrom: known === null || known.host === '' ? null : known.host };
}

function newNode(host: string): NodeIdentity {
  return {
    node_id: `node_${randomBytes(8).toString('hex')}`,
    epoch: 1,
    created_at: new Date(systemClock.now()).toISOString(),
    host,
  };
}
