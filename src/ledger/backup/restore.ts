import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { hasFence, lowerFence, raiseFence } from '../directory-fence.ts';
import { syncDirectory } from '../journal/disk.ts';
import { NODE_FILE, readNode, writeNode } from '../node-file.ts';
import { copyBytes } from './copied-file.ts';
import { isInside } from './inside.ts';
import { readCopy } from './journal-copy.ts';
import { spoiled, type BackupManifest } from './manifest.ts';
import { openBackup } from './opened-backup.ts';

export type RestoreRequest = {
  /** A folder or an archive that `backUp` made. */
  readonly backup: string;
  /** The new data directory: not there yet, or empty. */
  readonly dataDir: string;
  readonly clock: Clock;
};

export type Restored = { readonly manifest: BackupManifest; readonly epoch: number };

/**
 * Makes a data directory of a backup, under the next epoch. No server starts on it before everything was checked; cut short, it
 * is begun anew by the next restore into the same directory.
 */
export function restoreBackup({ backup, dataDir, clock }: RestoreRequest): Restored {
  if (isInside(backup, dataDir))
    throw new ApportionError('conflict', `${dataDir} lies in the backup.`, {
      hint: 'Name a place outside of it. Nothing was changed.',
    });
  const opened = openBackup(backup);
  const { manifest } = opened;
  prepare(dataDir, { backup: resolve(backup), at: new Date(clock.now()).toISOString() });
  for (const file of manifest.files)
    opened.read(file, (source, bytes) => copyBytes(source, { dir: dataDir, path: file.path }, bytes));
  const journalDir = join(dataDir, 'journal');
  const { firstSeq, lastSeq } = readCopy(journalDir);
  if (firstSeq !== manifest.first_seq || lastSeq !== manifest.seq)
    throw spoiled(backup, `its entries are ${firstSeq} to ${lastSeq}, not ${manifest.first_seq} to ${manifest.seq}`);
  const node = readNode(dataDir);
  if (node?.node_id !== manifest.node_id) throw spoiled(backup, `its ${NODE_FILE} is not of ${manifest.node_id}`);
  const epoch = node.epoch + 1;
  writeNode(dataDir, { ...node, epoch, host: hostname() });
  for (const one of readdirSync(dataDir, { recursive: true, withFileTypes: true }))
    if (one.isDirectory()) syncDirectory(join(one.parentPath, one.name));
  lowerFence(dataDir, 'restoring.json');
  return { manifest, epoch };
}

/** An empty directory with the fence raised. What an earlier restore that was cut short left there goes; nothing else ever does. */
function prepare(dataDir: string, facts: object): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  if (hasFence(dataDir, 'restoring.json')) {
    for (const name of readdirSync(dataDir))
      if (name !== 'restoring.json') rmSync(join(dataDir, name), { recursive: true, force: true });
  } else if (existsSync(dataDir) && readdirSync(dataDir).some((name) => name !== 'restoring.json.tmp')) {
    throw new ApportionError('conflict', `${dataDir} is not empty.`, {
      hint: 'Name a directory that is not there yet. Nothing was changed.',
    });
  }
  raiseFence(dataDir, 'restoring.json', facts);
  syncDirectory(dirname(resolve(dataDir)));
}
