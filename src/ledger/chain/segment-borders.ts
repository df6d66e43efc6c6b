import { FrameReader } from '../journal/frame-reader.ts';
import { listSegments, readHeader } from '../journal/segment.ts';
import { openSegmentFile } from '../journal/segment-file.ts';

/** Sequence number of the first entry of a segment. */
function firstSeqOf(dir: string, segment: number): number {
  const file = openSegmentFile(dir, segment);
  try {
    return readHeader(new FrameReader(file, { offset: 0, crc: 0 }), file.path).first_seq;
  } finally {
    file.close();
  }
}

/** The first entry that the journal still has; 1 when there are no files yet. */
export function oldestSeq(dir: string): number {
  const [oldest] = listSegments(dir);
  return oldest === undefined ? 1 : firstSeqOf(dir, oldest);
}

/** The last entries of segments, found as segments are begun: old ones may be removed later, and the chain must be known at that place. */
export class SegmentBorders {
  readonly #dir: string;
  readonly #borders = new Set<number>();
  #newest = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Looks for segments that were begun since, back to the one that entry `seq` is in. */
  refresh(seq: number): void {
    const segments = listSegments(this.#dir);
    for (const segment of segments.toReversed()) {
      if (segment <= this.#newest) break;
      const border = firstSeqOf(this.#dir, segment) - 1;
      if (border <= seq) break;
      this.#borders.add(border);
    }
    this.#newest = segments.at(-1) ?? 0;
  }

  /** Whether a segment ends with this entry. Asked once for each. */
  pass(seq: number): boolean {
    return this.#borders.delete(seq);
  }
}
