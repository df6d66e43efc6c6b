import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { damaged } from '../journal/damage.ts';
import { readEntries } from '../journal/entry-reader.ts';
import { retiredThrough } from '../journal/retired.ts';
import { openSegmentFile } from '../journal/segment-file.ts';
import { compressedPath, listSegments, segmentPath } from '../journal/segment.ts';
import { MarkFile, readMark, type SyncedMark } from '../journal/synced-mark.ts';
import { copyBytes, copyFile, hashFile, linkFile, syncFile } from './copied-file.ts';
import type { BackupFile } from './manifest.ts';

export type JournalSource = {
  /** The data directory. */
  readonly dataDir: string;
  /** The folder of the backup. */
  readonly to: string;
  /** Of a journal that is being written only what is acknowledged is taken, of any other all. */
  readonly server: 'running' | 'stopped';
  /** How sealed segments get there; they are never written into again. */
  readonly sealed: 'copied' | 'linked';
};

/**
 * Copies the journal as it is at one moment: the one of the mark, read first. What is written meanwhile comes after that point, and
 * segments that are sealed, compressed or removed meanwhile are found under their other name, or the caller begins anew.
 */
export function copyJournal(source: JournalSource): BackupFile[] {
  const dir = join(source.dataDir, 'journal');
  const mark = readMark(dir);
  if (source.server === 'running' && mark === null) throw damaged(join(dir, 'synced.mark'), 'it cannot be read');
  const files: BackupFile[] = [];
  // Before the segments: one that goes meanwhile is then missing, and found to be; the other way round its entries would be there, unread.
  if (existsSync(join(dir, 'retired.jsonl')))
    files.push(copyFile(join(dir, 'retired.jsonl'), at(source, 'retired.jsonl')));
  const segments = listSegments(dir);
  for (const segment of segments) {
    if (source.server === 'running' && mark !== null && segment >= mark.segment) {
      if (segment === mark.segment) files.push(copyUpTo(source, mark), writeMark(source, mark));
    } else {
      files.push(copySegment(segment === segments.at(-1) ? { ...source, sealed: 'copied' } : source, segment));
    }
  }
  if (source.server === 'stopped' && mark !== null)
    files.push(copyFile(join(dir, 'synced.mark'), at(source, 'synced.mark')));
  return files;
}

function copySegment(source: JournalSource, segment: number): BackupFile {
  const dir = join(source.dataDir, 'journal');
  const copy = source.sealed === 'linked' ? linkFile : copyFile;
  const plain = segmentPath(dir, segment);
  try {
    return copy(plain, at(source, basename(plain)));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  // Compressed segments are found here, and those that were compressed just now.
  const compressed = compressedPath(dir, segment);
  return copy(compressed, at(source, basename(compressed)));
}

/** The beginning of the segment that was being written, also when it was sealed or compressed since. */
function copyUpTo(source: JournalSource, mark: SyncedMark): BackupFile {
  const file = openSegmentFile(join(source.dataDir, 'journal'), mark.segment);
  try {
    const to = at(source, basename(segmentPath('', mark.segment)));
    return copyBytes((into, position) => file.read(into, position), to, mark.offset);
  } finally {
    file.close();
  }
}

function writeMark(source: JournalSource, mark: SyncedMark): BackupFile {
  const dir = join(source.to, 'journal');
  const file = new MarkFile(dir);
  file.write(mark);
  file.close();
  syncFile(join(dir, 'synced.mark'));
  return { path: 'journal/synced.mark', ...hashFile(join(dir, 'synced.mark')) };
}

function at({ to }: JournalSource, name: string): { readonly dir: string; readonly path: string } {
  return { dir: to, path: `journal/${name}` };
}

export type JournalContents = {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of the last entry; empty without one. */
  readonly priceBook: string;
};

/** Reads a copied journal from its first entry to its last. Throws `journal_unavailable` on damage. */
export function readCopy(dir: string): JournalContents {
  const firstSeq = retiredThrough(dir) + 1;
  let lastSeq = firstSeq - 1;
  let last: Buffer | null = null;
  for (const { seq, body } of readEntries(dir, { through: Number.MAX_SAFE_INTEGER })) {
    lastSeq = seq;
    last = body;
  }
  return { firstSeq, lastSeq, priceBook: last === null ? '' : priceBookOf(last) };
}

function priceBookOf(body: Buffer): string {
  const entry: unknown = JSON.parse(body.toString());
  const named = typeof entry === 'object' && entry !== null && 'price_book' in entry;
  return named && typeof entry.price_book === 'string' ? entry.price_book : '';
}
