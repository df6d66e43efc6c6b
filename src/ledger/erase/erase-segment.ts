import { closeSync, existsSync, fdatasyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { putCompressed } from '../journal/compression.ts';
import { damaged } from '../journal/damage.ts';
import { syncDirectory, writeAll } from '../journal/disk.ts';
import { FrameEncoder, parseEntry, parseIntent, parseVoid, type Frame } from '../journal/frame.ts';
import { FrameReader } from '../journal/frame-reader.ts';
import { readSealed, type SealedSegment } from '../journal/sealed-segment.ts';
import { compressedPath, readHeader, segmentPath, type SegmentHeader } from '../journal/segment.ts';
import { openSegmentFile, type SegmentFile } from '../journal/segment-file.ts';
import type { BodyEraser } from './erase-body.ts';

export type ErasedSegment = { readonly entries: number; readonly intents: number };

const NOTHING: ErasedSegment = { entries: 0, intents: 0 };

/**
 * Erases a subject from a sealed segment. The file is written anew beside the old one, synced, and takes its name: a crash leaves the one or
 * the other, and it can be done again. Sequence numbers stay, and so does how the segment ended when it was sealed.
 * Nothing else may work on the segment meanwhile.
 */
export function eraseInSegment(dir: string, segment: number, erase: BodyEraser): ErasedSegment {
  const sealed = readSealed(dir, segment);
  removeLeftover(dir, segment);
  const file = openSegmentFile(dir, segment);
  const temporary = `${segmentPath(dir, segment)}.erased.tmp`;
  try {
    const size = measure(file, sealed, erase);
    if (size.entries + size.intents === 0) return NOTHING;
    const header = withSize({ ...sealed.header, rewritten: { bytes: 0, sealed: sealed.end } }, size.bytes);
    writeAnew(file, temporary, { header, erase });
    put(dir, temporary, { ...sealed, header, plainBytes: header.rewritten.bytes });
    return { entries: size.entries, intents: size.intents };
  } finally {
    file.close();
    rmSync(temporary, { force: true });
  }
}

/** Where a crash came while it was compressed, both files are there; the plain one is whole, and the other one would stay as it was. */
function removeLeftover(dir: string, segment: number): void {
  if (!existsSync(segmentPath(dir, segment))) return;
  rmSync(compressedPath(dir, segment), { force: true });
}

type Size = ErasedSegment & { /** Of all frames but the header. */ readonly bytes: number };

function measure(file: SegmentFile, sealed: SealedSegment, erase: BodyEraser): Size {
  let [entries, intents, grown] = [0, 0, 0];
  const reader = new FrameReader(file, { offset: 0, crc: 0 });
  readHeader(reader, file.path);
  const start = reader.position.offset;
  for (const frame of framesOf(reader, file)) {
    const before = bodyOf(frame);
    const after = before === null ? null : erase(before);
    if (before === null || after === null) continue;
    grown += after.length - before.length;
    if (frame.kind === 'entry') entries += 1;
    else intents += 1;
  }
  return { entries, intents, bytes: sealed.plainBytes - start + grown };
}

function* framesOf(reader: FrameReader, file: SegmentFile): Generator<Frame> {
  for (;;) {
    const next = reader.next();
    if (next.is === 'end') return;
    if (next.is !== 'frame') throw damaged(file.path, `from offset ${reader.position.offset} on it cannot be read`);
    yield next.frame;
  }
}

function bodyOf(frame: Frame): Buffer | null {
  if (frame.kind === 'entry') return parseEntry(frame.payload).body;
  return frame.kind === 'intent' ? Buffer.from(parseIntent(frame.payload).open) : null;
}

type RewrittenHeader = SegmentHeader & Required<Pick<SegmentHeader, 'rewritten'>>;

/** The header that tells the size of the file, itself included. */
function withSize(header: RewrittenHeader, rest: number): RewrittenHeader {
  let bytes = rest;
  for (;;) {
    const encoder = new FrameEncoder(0);
    const sized = { ...header, rewritten: { ...header.rewritten, bytes } };
    encoder.header(JSON.stringify(sized));
    if (encoder.length + rest === bytes) return sized;
    bytes = encoder.length + rest;
  }
}

const WRITE_BYTES = 4 * 1024 * 1024;
/** A little at a time reaches the disk, so that no sync of the journal waits for all of it. */
const SYNC_BYTES = 16 * 1024 * 1024;

function writeAnew(
  file: SegmentFile,
  path: string,
  { header, erase }: { readonly header: SegmentHeader; readonly erase: BodyEraser },
): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    const encoder = new FrameEncoder(0);
    encoder.header(JSON.stringify(header));
    let [offset, synced] = [0, 0];
    const flush = (): void => {
      const bytes = encoder.take();
      writeAll(fd, bytes, offset);
      offset += bytes.length;
      if (offset - synced < SYNC_BYTES) return;
      fdatasyncSync(fd);
      synced = offset;
    };
    const reader = new FrameReader(file, { offset: 0, crc: 0 });
    readHeader(reader, file.path);
    for (const frame of framesOf(reader, file)) {
      encode(encoder, frame, erase);
      if (encoder.length >= WRITE_BYTES) flush();
    }
    flush();
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function encode(encoder: FrameEncoder, frame: Frame, erase: BodyEraser): void {
  if (frame.kind === 'entry') {
    const { seq, attempt, body } = parseEntry(frame.payload);
    encoder.entry(seq, attempt, (erase(body) ?? body).toString());
  } else if (frame.kind === 'intent') {
    const { attempt, open } = parseIntent(frame.payload);
    encoder.intent(attempt, (erase(Buffer.from(open)) ?? open).toString());
  } else encoder.void(parseVoid(frame.payload));
}

/** The new file takes the place of the old one, compressed if that one was. */
function put(dir: string, temporary: string, rewritten: SealedSegment): void {
  const plain = segmentPath(dir, rewritten.segment);
  if (existsSync(plain)) {
    renameSync(temporary, plain);
    syncDirectory(dir);
  } else putCompressed(dir, temporary, rewritten);
}
