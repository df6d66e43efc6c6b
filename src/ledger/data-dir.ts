import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ApportionError } from '#terms';
import { systemClock } from '#std';
import { createDurably, syncDirectory } from './journal/disk.ts';
import { acquireLock } from './lock.ts';

/** A node's files, held by this process alone until released. */
export type DataDir = {
  readonly path: string;
  /** `node_…`, made with the directory. Sequence numbers count per node. */
  readonly nodeId: string;
  /** 1, and one more each time another node adopts the directory or it is restored from a copy. */
  readonly epoch: number;
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
  for (const folder of [dir, journalDir, storeDir]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(join(dir, 'lock.db'), { role: 'gateway', waitMs: 0 });
  try {
    syncDirectory(dir);
    const node = readNode(dir) ?? makeNode(dir);
    return {
      path: dir,
      nodeId: node.node_id,
      epoch: node.epoch,
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

type Node = { readonly node_id: string; readonly epoch: number; readonly created_at: string };

const NODE_NAME = 'node.json';

function makeNode(dir: string): Node {
  const node = {
    node_id: `node_${randomBytes(8).toString('hex')}`,
    epoch: 1,
    created_at: new Date(systemClock.now()).toISOString(),
  };
  createDurably(join(dir, NODE_NAME), (fd) => writeSync(fd, `${JSON.stringify(node, null, 2)}\n`));
  return node;
}

function readNode(dir: string): Node | undefined {
  const path = join(dir, NODE_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const node = parseNode(text);
  if (node !== undefined) return node;
  throw new ApportionError('journal_unavailable', `${path} cannot be read as a node's identity.`, {
    hint: 'Restore the file from a backup: the journal belongs to the node named in it.',
  });
}

function parseNode(text: string): Node | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  if (!('node_id' in json) || typeof json.node_id !== 'string') return undefined;
  if (!('epoch' in json) || typeof json.epoch !== 'number') return undefined;
  if (!('created_at' in json) || typeof json.created_at !== 'string') return undefined;
  return { node_id: json.node_id, epoch: json.epoch, created_at: json.created_at };
}
