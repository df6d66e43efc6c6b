import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ApportionError } from '#terms';
import { readRange } from '../journal/disk.ts';
import { bytesOf, hashBytes, type ByteSource } from './copied-file.ts';
import { MANIFEST, parseManifest, spoiled, type BackupFile, type BackupManifest } from './manifest.ts';
import { listTar, type TarMember } from './tar.ts';

/** A backup that is there: a folder, or one archive. */
export type OpenedBackup = {
  readonly manifest: BackupManifest;
  /** Hands a file's bytes to `use`, and checks afterwards that they are what was backed up. */
  read(file: BackupFile, use: (source: ByteSource, bytes: number) => Omit<BackupFile, 'path'>): void;
};

export function openBackup(path: string): OpenedBackup {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind === undefined) throw new ApportionError('not_found', `There is no backup at ${path}.`);
  return kind.isDirectory() ? openFolder(path) : openArchive(path);
}

/** Reads every byte. Throws when one is not what was backed up. */
export function checkFiles({ manifest, read }: OpenedBackup): void {
  for (const file of manifest.files) read(file, (source, bytes) => hashBytes(source, bytes));
}

function openFolder(dir: string): OpenedBackup {
  const place = join(dir, MANIFEST);
  const text = readText(place);
  return opened(parseManifest(text, place), ({ path }) => ({ file: join(dir, path), offset: 0 }));
}

function openArchive(path: string): OpenedBackup {
  const members = new Map(listTar(path).map((member) => [member.path, member]));
  const manifest = parseManifest(memberText(path, members.get(MANIFEST)), `${path}: ${MANIFEST}`);
  return opened(manifest, (file) => {
    const member = members.get(file.path);
    if (member?.bytes !== file.bytes) throw spoiled(path, `${file.path} is missing or of another size`);
    return { file: path, offset: member.offset };
  });
}

type Located = { readonly file: string; readonly offset: number };

function opened(manifest: BackupManifest, locate: (file: BackupFile) => Located): OpenedBackup {
  return {
    manifest,
    read(file, use) {
      const { file: path, offset } = locate(file);
      const fd = openIfThere(path);
      if (fd === null) throw spoiled(path, 'the file is missing');
      try {
        const read = use(bytesOf(fd, offset), file.bytes);
        if (read.bytes !== file.bytes || read.sha256 !== file.sha256)
          throw spoiled(path, `${file.path} is not what was backed up`);
      } finally {
        closeSync(fd);
      }
    },
  };
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function readText(path: string): string {
  const fd = openIfThere(path);
  if (fd === null) throw spoiled(path, 'the file is missing');
  closeSync(fd);
  return readFileSync(path, 'utf8');
}

function memberText(archive: string, member: TarMember | undefined): string {
  if (member === undefined) throw spoiled(archive, `${MANIFEST} is missing`);
  const fd = openSync(archive, 'r');
  try {
    return readRange(fd, member.offset, member.offset + member.bytes).toString();
  } finally {
    closeSync(fd);
  }
}
