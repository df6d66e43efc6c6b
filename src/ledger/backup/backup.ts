import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { backup as backUpDatabase, DatabaseSync } from 'node:sqlite';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { createDurably, syncDirectory } from '../journal/disk.ts';
import { acquireLock, type Lock } from '../lock.ts';
import { requireNode, type NodeIdentity } from '../node-file.ts';
import { copyFile, hashFile, syncFile } from './copied-file.ts';
import { isInside } from './inside.ts';
import { copyJournal, readCopy, type JournalSource } from './journal-copy.ts';
import { MANIFEST, manifestText, type BackupFile, type BackupManifest } from './manifest.ts';
import { checkFiles, openBackup } from './opened-backup.ts';
import { writeTar } from './tar.ts';

export type BackupRequest = {
  /** Of a running server or a stopped one. Nothing in it is changed. */
  readonly dataDir: string;
  /** A folder to be made, or, ending in `.tar`, an archive. */
  readonly target: string;
  /** `linked`: sealed segments become second names of the same files, which costs no space and is no second copy. */
  readonly sealed: 'copied' | 'linked';
  readonly clock: Clock;
};

/**
 * Copies a node's ledger and control plane as they are at one sequence number, checks the copy by reading all of it, and only then gives it
 * its name. Cut short it leaves `<target>.partial` behind, which the next one removes.
 */
export async function backUp(request: BackupRequest): Promise<BackupManifest> {
  const { dataDir, target } = request;
  const node = requireNode(dataDir);
  if (existsSync(target))
    throw new ApportionError('conflict', `${target} is there already.`, { hint: 'Name one that is not there yet.' });
  if (isInside(dataDir, target))
    throw new ApportionError('conflict', `${target} lies in the data directory.`, {
      hint: 'Name a place outside of it: a backup is for when the directory is lost.',
    });
  const lock = await lockIfStopped(dataDir);
  const partial = `${resolve(target)}.partial`;
  try {
    const manifest = await retried(() =>
      fill(request, { node, partial, server: lock === null ? 'running' : 'stopped' }),
    );
    giveName(partial, target, manifest);
    return manifest;
  } finally {
    lock?.release();
  }
}

/** Held while a stopped server's files are copied, so that none starts meanwhile; null while one runs. */
async function lockIfStopped(dataDir: string): Promise<Lock | null> {
  try {
    return await acquireLock(join(dataDir, 'lock.db'), { role: 'backup', waitMs: 0 });
  } catch (error) {
    if (error instanceof ApportionError) return null;
    throw error;
  }
}

const TRIES = 3;

/** Files may be rewritten or removed under the copy (erasure, retention), which shows when it is read: then it is made anew. */
async function retried(make: () => Promise<BackupManifest>): Promise<BackupManifest> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await make();
    } catch (error) {
      const vanished = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      const unread = error instanceof ApportionError && error.code === 'journal_unavailable';
      if (tries === TRIES || !(vanished || unread)) throw error;
    }
  }
}

type Filling = { readonly node: NodeIdentity; readonly partial: string; readonly server: 'running' | 'stopped' };

async function fill(request: BackupRequest, { node, partial, server }: Filling): Promise<BackupManifest> {
  const { dataDir, clock, sealed } = request;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  const source: JournalSource = { dataDir, to: partial, server, sealed };
  // In this order: what follows from the journal, the journal, and the keys that its entries name.
  const files = copyRest(dataDir, partial);
  files.push(...copyJournal(source));
  files.push(...(await copyControl(dataDir, partial)));
  const { firstSeq, lastSeq, priceBook } = readCopy(join(partial, 'journal'));
  const manifest: BackupManifest = {
    format: 1,
    made_at: new Date(clock.now()).toISOString(),
    node_id: node.node_id,
    epoch: node.epoch,
    first_seq: firstSeq,
    seq: lastSeq,
    server,
    price_book: priceBook,
    not_included: NOT_INCLUDED,
    files: files.toSorted((left, right) => (left.path < right.path ? -1 : 1)),
  };
  createDurably(join(partial, MANIFEST), (fd) => writeSync(fd, manifestText(manifest)));
  syncFolders(partial);
  checkFiles(openBackup(partial));
  return manifest;
}

const NOT_INCLUDED = [
  'the configuration file and the environment: provider keys, prices and tags stated there',
  'the store: it is made again from the journal',
];

/** Copied in a way of their own, made again at the next start, or of the running process only. */
const LEFT_OUT = /^(?:journal|store|control\.db.*|control-snapshot\.json|lock\.(?:db|json).*|address\.json)$/;

const UNFINISHED = /\.(?:tmp|new|partial)$/;

/** Whatever else is in the directory: identity, secret, chain, erasures, adopted journals. */
function copyRest(dataDir: string, to: string): BackupFile[] {
  const found = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return found.flatMap((one) => {
    const path = relative(dataDir, join(one.parentPath, one.name)).replaceAll('\\', '/');
    const names = path.split('/');
    if (LEFT_OUT.test(names[0] ?? '') || names.some((name) => UNFINISHED.test(name))) return [];
    return [copyFile(join(dataDir, path), { dir: to, path })];
  });
}

/** SQLite's own online backup: the database as it was at one moment, while others write. */
async function copyControl(dataDir: string, to: string): Promise<BackupFile[]> {
  const from = join(dataDir, 'control.db');
  if (!existsSync(from)) return [];
  const path = join(to, 'control.db');
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS });
  try {
    await backUpDatabase(source, path);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(path);
  try {
    // One file: without the log beside it, which a reader of the copy would leave behind.
    copy.exec('PRAGMA journal_mode = DELETE');
    const check = copy.prepare('PRAGMA integrity_check').get();
    if (check?.['integrity_check'] !== 'ok')
      throw new ApportionError('ledger_unavailable', `${from} is damaged: ${String(check?.['integrity_check'])}`);
  } finally {
    copy.close();
  }
  chmodSync(path, 0o600);
  syncFile(path);
  return [{ path: 'control.db', ...hashFile(path) }];
}

const BUSY_MS = 5_000;

function syncFolders(dir: string): void {
  for (const one of readdirSync(dir, { recursive: true, withFileTypes: true }))
    if (one.isDirectory()) syncDirectory(join(one.parentPath, one.name));
  syncDirectory(dir);
}

function giveName(partial: string, target: string, manifest: BackupManifest): void {
  if (!target.endsWith('.tar')) {
    renameSync(partial, target);
    return syncDirectory(dirname(resolve(target)));
  }
  const archive = `${partial}.tar`;
  rmSync(archive, { force: true });
  // The manifest first: what an archive holds is known after its first kilobytes.
  writeTar(archive, partial, [MANIFEST, ...manifest.files.map(({ path }) => path)]);
  checkFiles(openBackup(archive));
  renameSync(archive, target);
  syncDirectory(dirname(resolve(target)));
  rmSync(partial, { recursive: true, force: true });
}
