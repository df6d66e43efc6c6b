import { FrameReader } from './frame-reader.ts';
import { damaged } from './damage.ts';
import { parseNumbered } from './frame.ts';
import { listSegments, readHeader, sealedEnd, type SegmentEnd, type SegmentHeader } from './segment.ts';
import { openSegmentFile, type SegmentFile } from './segment-file.ts';

/** A segment that another one follows: nothing is written into it any more. */
export type SealedSegment = {
  readonly segment: number;
  readonly header: SegmentHeader;
  /** How it ends, as the header of the next one says. */
  readonly end: SegmentEnd;
  /** Size of the plain file: that of `end`, unless it was rewritten since. */
  readonly plainBytes: number;
  /** One less than `header.first_seq` when there is no entry in it. */
  readonly lastSeq: number;
  /** When the next one was begun: every entry in this one is older. */
  readonly sealedAt: string;
};

/** Numbers of the sealed segments, ascending. */
export function listSealed(dir: string): number[] {
  return listSegments(dir).slice(0, -1);
}

export function readSealed(dir: string, segment: number): SealedSegment {
  const header = headerOf(dir, segment);
  const next = headerOf(dir, segment + 1);
  if (next.previous === null)
    throw damaged(`segment ${segment + 1}`, 'its header does not say how the one before ended');
  const plainBytes = header.rewritten?.bytes ?? next.previous.bytes;
  return { segment, header, end: next.previous, plainBytes, lastSeq: next.first_seq - 1, sealedAt: next.created_at };
}

function headerOf(dir: string, segment: number): SegmentHeader {
  const file = openSegmentFile(dir, segment);
  try {
    return readHeader(new FrameReader(file, { offset: 0, crc: 0 }), file.path);
  } finally {
    file.close();
  }
}

/** Reads every frame. Throws unless the file is, from its first byte to its last, what was sealed. */
export function checkSealed(file: SegmentFile, { header, end, lastSeq }: SealedSegment): void {
  const reader = new FrameReader(file, { offset: 0, crc: 0 });
  readHeader(reader, file.path);
  let seq = header.first_seq - 1;
  let next = reader.next();
  for (; next.is === 'frame'; next = reader.next()) {
    if (next.frame.kind !== 'entry') continue;
    if (parseNumbered(next.frame.payload).seq !== seq + 1) throw damaged(file.path, `entry ${seq + 1} is missing`);
    seq += 1;
  }
  const { offset, crc } = reader.position;
  const found = sealedEnd(header, { bytes: offset, crc });
  if (next.is === 'end' && found?.bytes === end.bytes && found.crc === end.crc && seq === lastSeq) return;
  throw damaged(file.path, `from offset ${offset} on it is not what was sealed`);
}
