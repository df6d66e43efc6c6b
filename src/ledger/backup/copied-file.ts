import { createHash, type Hash } from 'node:crypto';
import { closeSync, fdatasyncSync, linkSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeAll } from '../journal/disk.ts';
import type { BackupFile } from './manifest.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Where bytes come from; 0 at their end. */
export type ByteSource = (into: Buffer, position: number) => number;

export function bytesOf(fd: number, offset = 0): ByteSource {
  return (into, position) => readSync(fd, into, 0, into.length, offset + position);
}

/** Copies at most `bytes`, to the disk, and says what was copied. The folder is made; its entry is synced by whoever made the backup. */
export function copyBytes(
  source: ByteSource,
  to: { readonly dir: string; readonly path: string },
  bytes = Number.MAX_SAFE_INTEGER,
): BackupFile {
  const target = join(to.dir, to.path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const fd = openSync(target, 'wx', 0o600);
  try {
    const copied = readAll(source, bytes, (chunk, position) => writeAll(fd, chunk, position));
    fdatasyncSync(fd);
    return { path: to.path, ...copied };
  } finally {
    closeSync(fd);
  }
}

export function copyFile(from: string, to: { readonly dir: string; readonly path: string }): BackupFile {
  const fd = openSync(from, 'r');
  try {
    return copyBytes(bytesOf(fd), to);
  } finally {
    closeSync(fd);
  }
}

/** The same file under a second name where the file system allows it, else a copy. Only for files that are never written into again. */
export function linkFile(from: string, to: { readonly dir: string; readonly path: string }): BackupFile {
  const target = join(to.dir, to.path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  try {
    linkSync(from, target);
  } catch (error) {
    const unlinkable = ['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'];
    if (!(error instanceof Error && 'code' in error && unlinkable.includes(String(error.code)))) throw error;
    return copyFile(from, to);
  }
  return { path: to.path, ...hashFile(target) };
}

/** For a file that somebody else wrote. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function hashFile(path: string): Omit<BackupFile, 'path'> {
  const fd = openSync(path, 'r');
  try {
    return hashBytes(bytesOf(fd), Number.MAX_SAFE_INTEGER);
  } finally {
    closeSync(fd);
  }
}

export function hashBytes(source: ByteSource, bytes: number): Omit<BackupFile, 'path'> {
  return readAll(source, bytes, () => undefined);
}

function readAll(
  source: ByteSource,
  bytes: number,
  take: (chunk: Buffer, position: number) => void,
): Omit<BackupFile, 'path'> {
  const hash: Hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let done = 0;
  while (done < bytes) {
    const read = source(buffer.subarray(0, Math.min(CHUNK_BYTES, bytes - done)), done);
    if (read === 0) break;
    const chunk = buffer.subarray(0, read);
    hash.update(chunk);
    take(chunk, done);
    done += read;
  }
  return { bytes: done, sha256: hash.digest('hex') };
}
