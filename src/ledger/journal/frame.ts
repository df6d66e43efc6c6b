import { crc32 } from 'node:zlib';
import { invariant } from '#std';

/**
 * A segment is a row of frames: `length u32 | crc u32 | kind u8 | payload`, little-endian, the length counting kind and
 * payload. Each CRC is seeded with the one before it, so a frame that is missing, moved or repeated breaks the chain.
 */
const FRAME_KINDS = { header: 1, intent: 2, entry: 3, void: 4 } as const;

export type FrameKind = keyof typeof FRAME_KINDS;

export const FRAME_HEAD_BYTES = 8;

/** A longer one cannot have been written, so a larger length in a file means damage. */
export const FRAME_MAX_BYTES = 64 * 1024 * 1024;

/** The longest text of a command: three bytes a character still fit into a frame. */
export const TEXT_MAX_CHARS = 16 * 1024 * 1024;

const KIND_AT = FRAME_HEAD_BYTES;
const PAYLOAD_AT = KIND_AT + 1;
const UTF8_MAX_BYTES_PER_CHAR = 3;
const INITIAL_BYTES = 1024 * 1024;
const U32 = 2 ** 32;

/** Collects frames into one buffer, so that a whole group is one write. */
export class FrameEncoder {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #crc: number;

  constructor(seed: number) {
    this.#crc = seed;
  }

  /** CRC of the last frame added: the seed of the next one. */
  get crc(): number {
    return this.#crc;
  }

  get length(): number {
    return this.#length;
  }

  header(json: string): void {
    const start = this.#open('header', json.length);
    this.#close(start, this.#text(start + PAYLOAD_AT, json));
  }

  intent(attempt: string, open: string): void {
    const start = this.#open('intent', attempt.length + open.length);
    this.#close(start, this.#text(this.#name(start + PAYLOAD_AT, attempt), open));
  }

  entry(seq: number, attempt: string, body: string): void {
    const start = this.#open('entry', attempt.length + body.length);
    let at = start + PAYLOAD_AT;
    at = this.#buffer.writeUInt32LE(seq % U32, at);
    at = this.#buffer.writeUInt32LE(Math.floor(seq / U32), at);
    this.#close(start, this.#text(this.#name(at, attempt), body));
  }

  void(attempt: string): void {
    const start = this.#open('void', attempt.length);
    this.#close(start, this.#name(start + PAYLOAD_AT, attempt));
  }

  /** Starts a new chain; the encoder must be empty. */
  restart(seed: number): void {
    invariant(this.#length === 0, 'frames of one segment are written before the next one starts');
    this.#crc = seed;
  }

  /** The collected bytes; valid until the next frame is added. The encoder is empty afterwards. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #open(kind: FrameKind, chars: number): number {
    const start = this.#length;
    const room = start + PAYLOAD_AT + 16 + chars * UTF8_MAX_BYTES_PER_CHAR;
    if (room > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(room, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    this.#buffer[start + KIND_AT] = FRAME_KINDS[kind];
    return start;
  }

  #name(at: number, attempt: string): number {
    const end = this.#text(at + 2, attempt);
    this.#buffer.writeUInt16LE(end - at - 2, at);
    return end;
  }

  #text(at: number, text: string): number {
    return at + this.#buffer.write(text, at);
  }

  #close(start: number, end: number): void {
    const bytes = end - start - FRAME_HEAD_BYTES;
    invariant(bytes <= FRAME_MAX_BYTES, `a journal frame has at most ${FRAME_MAX_BYTES} bytes, not ${bytes}`);
    this.#crc = crc32(this.#buffer.subarray(start + KIND_AT, end), this.#crc);
    this.#buffer.writeUInt32LE(bytes, start);
    this.#buffer.writeUInt32LE(this.#crc, start + 4);
    this.#length = end;
  }
}

/** A checked frame. `payload` is a view. */
export type Frame = {
  readonly kind: FrameKind;
  readonly payload: Buffer;
  readonly crc: number;
  readonly bytes: number;
};

/** `incomplete`: more bytes may make it a frame. `broken`: no bytes after these can. */
export type FrameAt = Frame | 'incomplete' | 'broken';

const KIND_NAMES = new Map<number, FrameKind>([
  [FRAME_KINDS.header, 'header'],
  [FRAME_KINDS.intent, 'intent'],
  [FRAME_KINDS.entry, 'entry'],
  [FRAME_KINDS.void, 'void'],
]);

export function frameBytes(bytes: Buffer, start: number): number {
  return FRAME_HEAD_BYTES + bytes.readUInt32LE(start);
}

/** A part of a larger buffer. */
export type Stretch = { readonly bytes: Buffer; readonly start: number; readonly end: number };

/** Reads the frame at the start of a stretch, whose CRC must follow from `seed`. */
export function parseFrame({ bytes, start, end }: Stretch, seed: number): FrameAt {
  if (end - start < FRAME_HEAD_BYTES) return 'incomplete';
  const length = bytes.readUInt32LE(start);
  if (length === 0 || length > FRAME_MAX_BYTES) return 'broken';
  const frameEnd = start + FRAME_HEAD_BYTES + length;
  if (frameEnd > end) return 'incomplete';
  const crc = crc32(bytes.subarray(start + KIND_AT, frameEnd), seed);
  const kind = KIND_NAMES.get(bytes.readUInt8(start + KIND_AT));
  if (crc !== bytes.readUInt32LE(start + 4) || kind === undefined) return 'broken';
  return { kind, payload: bytes.subarray(start + PAYLOAD_AT, frameEnd), crc, bytes: frameEnd - start };
}

export type EntryFrame = { readonly seq: number; readonly attempt: string; readonly body: Buffer };

/** The parts of a checked entry frame; `body` is a view. */
export function parseEntry(payload: Buffer): EntryFrame {
  const bodyAt = bodyOffset(payload);
  return { seq: entrySeq(payload), attempt: payload.toString('utf8', 10, bodyAt), body: payload.subarray(bodyAt) };
}

/** The same for whoever does not ask for the attempt. */
export function parseNumbered(payload: Buffer): Omit<EntryFrame, 'attempt'> {
  return { seq: entrySeq(payload), body: payload.subarray(bodyOffset(payload)) };
}

function entrySeq(payload: Buffer): number {
  return payload.readUInt32LE(0) + payload.readUInt32LE(4) * U32;
}

function bodyOffset(payload: Buffer): number {
  return 10 + payload.readUInt16LE(8);
}

export function parseIntent(payload: Buffer): { attempt: string; open: string } {
  const openAt = 2 + payload.readUInt16LE(0);
  return { attempt: payload.toString('utf8', 2, openAt), open: payload.toString('utf8', openAt) };
}

export function parseVoid(payload: Buffer): string {
  return payload.toString('utf8', 2, 2 + payload.readUInt16LE(0));
}
