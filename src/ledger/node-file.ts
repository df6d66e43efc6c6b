import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ApportionError } from '#terms';
import { createDurably } from './journal/disk.ts';

/** Whose data a directory holds, as its `node.json` says. */
export type NodeIdentity = z.infer<typeof nodeSchema>;

const nodeSchema = z.object({
  node_id: z.string().regex(/^[\w-]+$/),
  epoch: z.int().min(1),
  created_at: z.string(),
  /** The host it last ran on; empty in directories older than this field. */
  host: z.string().default(''),
});

export const NODE_FILE = 'node.json';

/** Null when there is none. */
export function readNode(dir: string): NodeIdentity | null {
  const path = join(dir, NODE_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // Nothing is there, or a file where a folder should be.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
  const node = nodeSchema.safeParse(parseJson(text));
  if (node.success) return node.data;
  throw new ApportionError('journal_unavailable', `${path} cannot be read as a node's identity.`, {
    hint: 'Restore the file from a backup: the journal belongs to the node named in it.',
  });
}

/** As `readNode`, for who needs a data directory. */
export function requireNode(dir: string): NodeIdentity {
  const node = readNode(dir);
  if (node !== null) return node;
  throw new ApportionError('not_found', `${dir} is no data directory: it has no ${NODE_FILE}.`, {
    hint: 'Name it with --data-dir, or set APPORTION_DATA_DIR.',
  });
}

export function writeNode(dir: string, node: NodeIdentity): void {
  createDurably(join(dir, NODE_FILE), (fd) => writeSync(fd, `${JSON.stringify(node, null, 2)}\n`));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
