import { existsSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApportionError } from '#terms';
import { createDurably, syncDirectory } from './journal/disk.ts';

/**
 * Files that keep a server from starting on a directory. They hold for this directory: a copy of it that was made before knows nothing of them.
 */
const FENCES = {
  /** A restore is going on, or was cut short: not everything is there. */
  'restoring.json': {
    what: 'A restore into this directory did not come to its end',
    hint: 'Run the restore again: it begins anew.',
  },
  /** Another node has taken the entries over. */
  'adopted.json': {
    what: 'The entries of this directory were taken over by another node',
    hint: 'Use a directory of its own for this node. To undo an adoption, restore a backup.',
  },
} as const;

export type Fence = keyof typeof FENCES;

/** Beside the files of a backup, and in no data directory. */
const BACKUP_MANIFEST = 'manifest.json';

/** Throws when the directory must not be used. */
export function checkFences(dir: string): void {
  if (existsSync(join(dir, BACKUP_MANIFEST)))
    throw new ApportionError('journal_unavailable', `${dir} is a backup, and stays as it is.`, {
      hint: `Make a data directory of it: apportion restore --data-dir NEW_DIR ${dir}`,
    });
  for (const [name, { what, hint }] of Object.entries(FENCES)) {
    const path = join(dir, name);
    if (existsSync(path))
      throw new ApportionError('journal_unavailable', `${what}: ${path} says ${readFileSync(path, 'utf8').trim()}`, {
        hint,
      });
  }
}

export function hasFence(dir: string, fence: Fence): boolean {
  return existsSync(join(dir, fence));
}

export function raiseFence(dir: string, fence: Fence, facts: object): void {
  createDurably(join(dir, fence), (fd) => writeSync(fd, `${JSON.stringify(facts)}\n`));
}

export function lowerFence(dir: string, fence: Fence): void {
  const path = join(dir, fence);
  rmSync(path);
  syncDirectory(dirname(path));
}

/** Which node raised it, as it says of itself; null when there is none. */
export function fencedBy(dir: string, fence: Fence): string | null {
  if (!hasFence(dir, fence)) return null;
  const json: unknown = JSON.parse(readFileSync(join(dir, fence), 'utf8'));
  return typeof json === 'object' && json !== null && 'by' in json ? String(json.by) : '';
}
