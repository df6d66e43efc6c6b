import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { FRAME_HEAD_BYTES, FRAME_MAX_BYTES, type Frame } from '../journal/frame.ts';
import { FrameReader, type FramePosition } from '../journal/frame-reader.ts';

/** A frame and where it begins. */
export type FoundFrame = { readonly frame: Frame; readonly at: FramePosition };

/** How a walk over frames stopped, and where. */
export type FramesEnd = { readonly is: 'end' | 'incomplete' | 'broken'; readonly at: FramePosition };

/** The whole frames of a file from a position on. A frame's payload is valid until the next one is asked for. */
export function* framesFrom(fd: number, from: FramePosition): Generator<FoundFrame, FramesEnd> {
  const reader = new FrameReader(fd, from);
  for (;;) {
    const at = reader.position;
    const next = reader.next();
    if (next.is !== 'frame') return { is: next.is, at };
    yield { frame: next.frame, at };
  }
}

/**
 * Where the chain goes on behind a frame that is damaged; null when nothing behind it can be read. Each CRC is seeded with the
 * one before: that is the one that stands in the damaged frame, or, if that itself was hit, the one its content has.
 */
export function positionBehind(fd: number, damaged: FramePosition): FramePosition | null {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  if (readSync(fd, head, 0, FRAME_HEAD_BYTES, damaged.offset) < FRAME_HEAD_BYTES) return null;
  const length = head.readUInt32LE(0);
  if (length === 0 || length > FRAME_MAX_BYTES) return null;
  const content = Buffer.alloc(length);
  if (readSync(fd, content, 0, length, damaged.offset + FRAME_HEAD_BYTES) < length) return null;
  const offset = damaged.offset + FRAME_HEAD_BYTES + length;
  for (const crc of [head.readUInt32LE(4), crc32(content, damaged.crc)]) {
    if (new FrameReader(fd, { offset, crc }).next().is === 'frame') return { offset, crc };
  }
  return null;
}
