import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { openCompressed } from './compressed-segment.ts';
import { damaged } from './damage.ts';
import { compressedPath, segmentPath } from './segment.ts';

/** The bytes of a segment by their position in the plain file, whether it is plain or compressed. */
export type SegmentFile = {
  readonly path: string;
  /** Bytes from `position` on: at least one, unless there are none yet. */
  read(into: Buffer, position: number): number;
  close(): void;
};

export function segmentExists(dir: string, segment: number): boolean {
  return existsSync(segmentPath(dir, segment)) || existsSync(compressedPath(dir, segment));
}

/** The plain file is removed only after the compressed one has its name, so whoever misses the first finds the second. */
export function openSegmentFile(dir: string, segment: number): SegmentFile {
  const plain = segmentPath(dir, segment);
  const file = whenThere(() => openPlain(plain)) ?? whenThere(() => openCompressed(compressedPath(dir, segment)));
  if (file === null) throw damaged(plain, 'the file is missing');
  return file;
}

function openPlain(path: string): SegmentFile {
  const fd = openSync(path, 'r');
  return {
    path,
    read: (into, position) => readSync(fd, into, 0, into.length, position),
    close: () => closeSync(fd),
  };
}

function whenThere(open: () => SegmentFile): SegmentFile | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
