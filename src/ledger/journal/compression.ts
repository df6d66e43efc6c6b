import { createHash } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { CompressedWriter, openCompressed } from './compressed-segment.ts';
import { damaged } from './damage.ts';
import { readRange, syncDirectory } from './disk.ts';
import { checkSealed, listSealed, readSealed, type SealedSegment } from './sealed-segment.ts';
import { compressedPath, segmentPath } from './segment.ts';

export type Compressed = { readonly plainBytes: number; readonly bytes: number };

/** Sealed segments that are plain, also those whose compressed file is there already: a crash came before the plain one was removed. */
export function listUncompressed(dir: string): number[] {
  const plain = new Set(readdirSync(dir));
  return listSealed(dir).filter((segment) => plain.has(basename(segmentPath(dir, segment))));
}

/**
 * Puts a compressed file in the place of a sealed plain one. At any moment one of the two is whole; each step may be cut short and all
 * of it done again. The plain file goes only after every frame was read back from the compressed one.
 */
export function compressSegment(dir: string, segment: number): Compressed {
  const sealed = readSealed(dir, segment);
  const plain = segmentPath(dir, segment);
  if (statSync(plain).size !== sealed.plainBytes)
    throw damaged(plain, `it does not end at offset ${sealed.plainBytes}`);
  const bytes = putCompressed(dir, plain, sealed);
  rmSync(plain);
  return { plainBytes: sealed.plainBytes, bytes };
}

/** Compresses a plain file of the segment, wherever it is, under the segment's name; what was there by that name is replaced. Its size. */
export function putCompressed(dir: string, plain: string, sealed: SealedSegment): number {
  const path = compressedPath(dir, sealed.segment);
  const temporary = `${path}.tmp`;
  writeCompressed(plain, temporary, sealed);
  try {
    check(temporary, sealed);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  renameSync(temporary, path);
  syncDirectory(dir);
  return statSync(path).size;
}

/** A little at a time reaches the disk, so that no sync of the journal waits for all of it. */
const SYNC_EVERY_BLOCKS = 16;

function writeCompressed(
  plain: string,
  path: string,
  { segment, header, end, plainBytes, lastSeq }: SealedSegment,
): void {
  const from = openSync(plain, 'r');
  const to = openSync(path, 'w', 0o600);
  try {
    const writer = new CompressedWriter(to);
    const hash = createHash('sha256');
    const { blockBytes } = CompressedWriter;
    for (let at = 0, blocks = 1; at < plainBytes; at += blockBytes, blocks += 1) {
      const block = readRange(from, at, Math.min(at + blockBytes, plainBytes));
      hash.update(block);
      writer.block(block);
      if (blocks % SYNC_EVERY_BLOCKS === 0) fdatasyncSync(to);
    }
    writer.index({
      node_id: header.node_id,
      epoch: header.epoch,
      segment,
      first_seq: header.first_seq,
      last_seq: lastSeq,
      plain_bytes: plainBytes,
      plain_crc: end.crc,
      sha256: hash.digest('hex'),
    });
    fdatasyncSync(to);
  } finally {
    closeSync(to);
    closeSync(from);
  }
}

function check(path: string, sealed: SealedSegment): void {
  const file = openCompressed(path);
  try {
    checkSealed(file, sealed);
  } finally {
    file.close();
  }
}
