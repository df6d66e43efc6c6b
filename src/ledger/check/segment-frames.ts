import { crc32 } from 'node:zlib';
import { ApportionError } from '#terms';
import { FRAME_HEAD_BYTES, FRAME_MAX_BYTES, type Frame } from '../journal/frame.ts';
import { FrameReader, type FramePosition, type NextFrame } from '../journal/frame-reader.ts';
import type { SegmentFile } from '../journal/segment-file.ts';

/** A frame and where it begins. */
export type FoundFrame = { readonly frame: Frame; readonly at: FramePosition };

/** How a walk over frames stopped, and where. `why` of a compressed file: the block that cannot be unpacked. */
export type FramesEnd = {
  readonly is: 'end' | 'incomplete' | 'broken';
  readonly at: FramePosition;
  readonly why?: string;
};

/** The whole frames of a file from a position on. A frame's payload is valid until the next one is asked for. */
export function* framesFrom(file: SegmentFile, from: FramePosition): Generator<FoundFrame, FramesEnd> {
  const reader = new FrameReader(file, from);
  for (;;) {
    const at = reader.position;
    const next = nextOf(reader);
    if (typeof next === 'string') return { is: 'broken', at, why: next };
    if (next.is !== 'frame') return { is: next.is, at };
    yield { frame: next.frame, at };
  }
}

/** What a damaged block of a compressed file says instead of a frame. */
function nextOf(reader: FrameReader): NextFrame | string {
  try {
    return reader.next();
  } catch (error) {
    if (error instanceof ApportionError) return error.message;
    throw error;
  }
}

/**
 * Where the chain goes on behind a frame that is damaged; null when nothing behind it can be read. Each CRC is seeded with the
 * one before: that is the one that stands in the damaged frame, or, if that itself was hit, the one its content has.
 */
export function positionBehind(file: SegmentFile, damaged: FramePosition): FramePosition | null {
  const head = readWhole(file, damaged.offset, FRAME_HEAD_BYTES);
  const length = head?.readUInt32LE(0) ?? 0;
  if (head === null || length === 0 || length > FRAME_MAX_BYTES) return null;
  const content = readWhole(file, damaged.offset + FRAME_HEAD_BYTES, length);
  if (content === null) return null;
  const offset = damaged.offset + FRAME_HEAD_BYTES + length;
  for (const crc of [head.readUInt32LE(4), crc32(content, damaged.crc)]) {
    const next = nextOf(new FrameReader(file, { offset, crc }));
    if (typeof next !== 'string' && next.is === 'frame') return { offset, crc };
  }
  return null;
}

/** Null when there are fewer bytes, or they are in a block that is damaged. */
function readWhole(file: SegmentFile, from: number, length: number): Buffer | null {
  const bytes = Buffer.alloc(length);
  try {
    for (let done = 0; done < length;) {
      const read = file.read(bytes.subarray(done), from + done);
      if (read === 0) return null;
      done += read;
    }
    return bytes;
  } catch (error) {
    if (error instanceof ApportionError) return null;
    throw error;
  }
}
