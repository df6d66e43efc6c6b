import { readSync } from 'node:fs';
import { FRAME_HEAD_BYTES, FRAME_MAX_BYTES, frameBytes, parseFrame, type Frame } from './frame.ts';

/** Where a reader stands in a file: the next frame's offset, and the CRC its chain is seeded with. */
export type FramePosition = { readonly offset: number; readonly crc: number };

export type NextFrame =
  | { readonly is: 'frame'; readonly frame: Frame }
  /** `end`: the file stops after a whole frame. `incomplete`: it stops inside one. `broken`: damage. */
  | { readonly is: 'end' | 'incomplete' | 'broken' };

const CHUNK_BYTES = 1024 * 1024;

/** Chunks that are kept to be used again: small files, one for each, may take any number. */
const MOST_KEPT = 32;

/** Where the memory comes from that frames are read into. */
export type Chunks = { take(bytes: number): Buffer };

const NEW_CHUNKS: Chunks = { take: (bytes) => Buffer.allocUnsafeSlow(bytes) };

/**
 * The same memory again and again. Large pieces are not of JavaScript's heap, and a new one for each thousand entries has all of the heap looked
 * through for what can go: a fifth of all that storing an entry took.
 */
export class ReusedChunks implements Chunks {
  readonly #kept: Buffer[] = [];
  #taken = 0;

  take(bytes: number): Buffer {
    if (bytes > CHUNK_BYTES || this.#taken === MOST_KEPT) return NEW_CHUNKS.take(bytes);
    const chunk = this.#kept[this.#taken] ?? NEW_CHUNKS.take(CHUNK_BYTES);
    this.#kept[this.#taken] = chunk;
    this.#taken += 1;
    return chunk;
  }

  /** Nobody looks any more at what was read. What a backlog took is let go once so much is not read any more. */
  takeBack(): void {
    this.#kept.length = Math.min(this.#kept.length, Math.max(1, 2 * this.#taken));
    this.#taken = 0;
  }
}

/** What frames are read from: a descriptor, or a file that may be compressed. */
export type FrameSource = number | { read(into: Buffer, position: number): number };

/**
 * Reads frames one after the other by position; bytes are only ever read forward, a chunk at a time. It never writes over a chunk: payloads
 * are views that stay as they are for as long as whoever gives the chunks leaves them alone.
 */
export class FrameReader {
  readonly #source: FrameSource;
  readonly #chunks: Chunks;
  #offset: number;
  #crc: number;
  #chunk: Buffer;
  /** Unread bytes of the chunk: [start, end). `#chunk[#start]` is the file's byte at `#offset`. */
  #start = 0;
  #end = 0;

  constructor(source: FrameSource, at: FramePosition, chunks = NEW_CHUNKS) {
    this.#source = source;
    this.#chunks = chunks;
    this.#chunk = chunks.take(CHUNK_BYTES);
    this.#offset = at.offset;
    this.#crc = at.crc;
  }

  get position(): FramePosition {
    return { offset: this.#offset, crc: this.#crc };
  }

  next(): NextFrame {
    let read = this.#parse();
    if (read === 'incomplete' && this.#refill()) read = this.#parse();
    if (read === 'broken') return { is: 'broken' };
    if (read === 'incomplete') return { is: this.#start === this.#end ? 'end' : 'incomplete' };
    this.#start += read.bytes;
    this.#offset += read.bytes;
    this.#crc = read.crc;
    return { is: 'frame', frame: read };
  }

  #parse() {
    return parseFrame({ bytes: this.#chunk, start: this.#start, end: this.#end }, this.#crc);
  }

  /** Reads on until the frame at `#offset` is whole or the file ends; false when nothing was read. */
  #refill(): boolean {
    const before = this.#end - this.#start;
    for (let wanted = this.#wanted(); this.#end - this.#start < wanted; wanted = this.#wanted()) {
      this.#makeRoom(wanted);
      const bytes = readFrom(this.#source, this.#chunk.subarray(this.#end), this.#offset + this.#end - this.#start);
      if (bytes === 0) break;
      this.#end += bytes;
    }
    return this.#end - this.#start > before;
  }

  #makeRoom(bytes: number): void {
    if (this.#start + bytes <= this.#chunk.length) return;
    const rest = this.#chunk.subarray(this.#start, this.#end);
    this.#chunk = this.#chunks.take(Math.max(bytes, CHUNK_BYTES));
    this.#start = 0;
    this.#end = rest.copy(this.#chunk);
  }

  #wanted(): number {
    if (this.#end - this.#start < FRAME_HEAD_BYTES) return FRAME_HEAD_BYTES;
    const bytes = frameBytes(this.#chunk, this.#start);
    // Such a length is damage, and its head is all that is looked at.
    return bytes > FRAME_HEAD_BYTES + FRAME_MAX_BYTES ? FRAME_HEAD_BYTES : bytes;
  }
}

function readFrom(source: FrameSource, into: Buffer, position: number): number {
  return typeof source === 'number' ? readSync(source, into, 0, into.length, position) : source.read(into, position);
}
