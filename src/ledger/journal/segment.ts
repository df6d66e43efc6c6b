import { fdatasyncSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeAll } from './disk.ts';
import { FrameEncoder } from './frame.ts';
import type { FrameReader } from './frame-reader.ts';
import { damaged } from './damage.ts';

/** Version of the file format. A reader refuses one it does not know. */
export const SEGMENT_FORMAT = 1;

export type SegmentHeader = {
  readonly format: number;
  readonly node_id: string;
  /** Rises when another node adopts the journal or a copy of it is restored. */
  readonly epoch: number;
  readonly segment: number;
  /** Sequence number of the segment's first entry. */
  readonly first_seq: number;
  readonly created_at: string;
  /** How the segment before ended; null for the first one. */
  readonly previous: SegmentEnd | null;
  /** How many intent frames, carried over from the segment before, follow the header. */
  readonly carried: number;
  /** Only of a sealed segment that was written anew without values that were erased. */
  readonly rewritten?: RewrittenSegment;
};

/** How long the file is now, and how it ended when it was sealed, which is what the header of the next one says for ever. */
export type RewrittenSegment = { readonly bytes: number; readonly sealed: SegmentEnd };

export type SegmentEnd = { readonly bytes: number; readonly crc: number };

const SEGMENT_NAME = /^(\d{10})\.log(?:\.zst)?$/;

export function segmentPath(dir: string, segment: number): string {
  return join(dir, `${String(segment).padStart(10, '0')}.log`);
}

/** Where a sealed segment is once it is compressed. */
export function compressedPath(dir: string, segment: number): string {
  return `${segmentPath(dir, segment)}.zst`;
}

/** Segment numbers, ascending, plain and compressed. Old ones may be gone (retention); one missing in between is damage. */
export function listSegments(dir: string): number[] {
  const found = readdirSync(dir).flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? []);
  const segments = [...new Set(found.map(Number))].toSorted((left, right) => left - right);
  for (const [index, segment] of segments.entries()) {
    const first = segments[0] ?? 0;
    if (segment !== first + index) throw damaged(segmentPath(dir, first + index), 'the file is missing');
  }
  return segments;
}

export type NewSegment = { readonly fd: number; readonly bytes: number; readonly crc: number };

/**
 * Makes a segment whole or not at all: header and carried intents are synced under a temporary name first, so a file
 * with a segment's name always has them. That it has the name is durable once the folder is synced, which is the caller's to do before
 * anything in it is acknowledged. @param file empty; it is the segment's from then on
 */
export function beginSegment(
  { dir, file: { path, fd } }: { readonly dir: string; readonly file: TemporaryFile },
  header: SegmentHeader,
  open: ReadonlyMap<string, string>,
): NewSegment {
  const encoder = new FrameEncoder(0);
  encoder.header(JSON.stringify(header));
  let bytes = 0;
  for (const [attempt, text] of open) {
    encoder.intent(attempt, text);
    bytes += flush(fd, bytes, encoder);
  }
  bytes += flush(fd, bytes, encoder);
  fdatasyncSync(fd);
  renameSync(path, segmentPath(dir, header.segment));
  return { fd, bytes, crc: encoder.crc };
}

/** A segment before it has its name: its own ends with `.tmp`, and nothing in it is part of the journal. */
export type TemporaryFile = { readonly path: string; readonly fd: number };

function flush(fd: number, offset: number, encoder: FrameEncoder): number {
  const frames = encoder.take();
  writeAll(fd, frames, offset);
  return frames.length;
}

/**
 * How a segment that was read to `end` ended when it was sealed; null when it is not read to its end. Of a rewritten one the length says
 * that it is whole: up to there its own chain of CRCs holds.
 */
export function sealedEnd({ rewritten }: SegmentHeader, end: SegmentEnd): SegmentEnd | null {
  if (rewritten === undefined) return end;
  return end.bytes === rewritten.bytes ? rewritten.sealed : null;
}

/** Reads the header, which must be the file's first frame. */
export function readHeader(reader: FrameReader, path: string): SegmentHeader {
  const next = reader.next();
  if (next.is !== 'frame' || next.frame.kind !== 'header') throw damaged(path, 'its header cannot be read');
  const header = parseHeader(JSON.parse(next.frame.payload.toString()));
  if (header === undefined) throw damaged(path, 'its header is of a format this version does not know');
  return header;
}

function parseHeader(json: unknown): SegmentHeader | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if (!('format' in json) || json.format !== SEGMENT_FORMAT) return undefined;
  if (!('node_id' in json) || typeof json.node_id !== 'string') return undefined;
  if (!('epoch' in json) || typeof json.epoch !== 'number') return undefined;
  if (!('segment' in json) || typeof json.segment !== 'number') return undefined;
  if (!('first_seq' in json) || typeof json.first_seq !== 'number') return undefined;
  if (!('created_at' in json) || typeof json.created_at !== 'string') return undefined;
  if (!('carried' in json) || typeof json.carried !== 'number') return undefined;
  if (!('previous' in json)) return undefined;
  const previous = parseEnd(json.previous);
  if (previous === undefined) return undefined;
  const rewritten = 'rewritten' in json ? parseRewritten(json.rewritten) : null;
  if (rewritten === undefined) return undefined;
  const { format, node_id, epoch, segment, first_seq, created_at, carried } = json;
  const header = { format, node_id, epoch, segment, first_seq, created_at, previous, carried };
  return rewritten === null ? header : { ...header, rewritten };
}

function parseRewritten(json: unknown): RewrittenSegment | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if (!('bytes' in json) || typeof json.bytes !== 'number' || !('sealed' in json)) return undefined;
  const sealed = parseEnd(json.sealed);
  return sealed === undefined || sealed === null ? undefined : { bytes: json.bytes, sealed };
}

function parseEnd(json: unknown): SegmentEnd | null | undefined {
  if (json === null) return null;
  if (typeof json !== 'object' || json === undefined) return undefined;
  if (!('bytes' in json) || typeof json.bytes !== 'number') return undefined;
  if (!('crc' in json) || typeof json.crc !== 'number') return undefined;
  return { bytes: json.bytes, crc: json.crc };
}
