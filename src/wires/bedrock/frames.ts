import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import type * as EventStreams from '@smithy/eventstream-codec';
import { LIMITS } from '#terms';

/** One message of an event stream (`application/vnd.amazon.eventstream`). */
export type Frame = {
  /** As it came, checksums included. */
  readonly bytes: Buffer;
  readonly kind: 'event' | 'exception';
  /** `contentBlockDelta`, `chunk`, `throttlingException`. */
  readonly type: string;
  readonly payload: Buffer;
};

export const EVENT_STREAM = 'application/vnd.amazon.eventstream';

const load = createRequire(import.meta.url);
let loaded: EventStreams.EventStreamCodec | null = null;

/** It takes 55 ms of processor time and 15 MB, which only those pay who call Bedrock. */
function codec(): EventStreams.EventStreamCodec {
  if (loaded !== null) return loaded;
  const library: typeof EventStreams = load('@smithy/eventstream-codec');
  loaded = new library.EventStreamCodec(
    (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
    (text) => Buffer.from(text),
  );
  return loaded;
}

/** Total length, length of the headers, and the checksum of both: 4 bytes each. */
const PRELUDE_BYTES = 12;
const CHECKED_PRELUDE_BYTES = 8;
const LEAST_FRAME_BYTES = 16;

/** Cuts a stream into frames, whatever the chunks it comes in, and checks every checksum. */
export class FrameBuffer {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Length of the frame that is coming; 0 while its prelude is not there. */
  #awaited = 0;
  #damaged = false;

  /** What comes after a wrong checksum cannot be told apart any more: nothing of it is read. */
  get damaged(): boolean {
    return this.#damaged;
  }

  get rest(): Buffer | null {
    return this.#bytes === 0 ? null : this.#joined();
  }

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    if (this.#damaged) return frames;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#isWhole()) {
      const frame = readFrame(this.#take(this.#awaited));
      this.#awaited = 0;
      if (frame === null) {
        this.#damaged = true;
        break;
      }
      frames.push(frame);
    }
    return frames;
  }

  #isWhole(): boolean {
    if (this.#awaited === 0 && this.#bytes >= PRELUDE_BYTES) {
      this.#awaited = frameLength(this.#joined());
      this.#damaged ||= this.#awaited === 0;
    }
    return this.#awaited > 0 && this.#bytes >= this.#awaited;
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(length: number): Buffer {
    const joined = this.#joined();
    const rest = joined.subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return joined.subarray(0, length);
  }
}

/** The length is checked before it is believed: a damaged one would be waited for, for ever. 0 for damage. */
function frameLength(start: Buffer): number {
  const length = start.readUInt32BE(0);
  const whole = crc32(start.subarray(0, CHECKED_PRELUDE_BYTES)) === start.readUInt32BE(CHECKED_PRELUDE_BYTES);
  return whole && length >= LEAST_FRAME_BYTES && length <= LIMITS.streamEventBytes * 4 ? length : 0;
}

/** Null for a frame whose checksum is wrong. */
function readFrame(bytes: Buffer): Frame | null {
  try {
    const { headers, body } = codec().decode(bytes);
    const text = (name: string): string => {
      const value: unknown = headers[name]?.value;
      return typeof value === 'string' ? value : '';
    };
    const kind = text(':message-type') === 'event' ? 'event' : 'exception';
    const type = text(':event-type') || text(':exception-type') || text(':error-code');
    return { bytes, kind, type, payload: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
  } catch {
    // The codec tells a wrong checksum by throwing; the stream's meter says what that means.
    return null;
  }
}

const JSON_TYPE = { type: 'string', value: 'application/json' } as const;

/** A frame as Bedrock writes it. */
export function writeFrame(kind: Frame['kind'], type: string, payload: unknown): Buffer {
  const named = kind === 'event' ? ':event-type' : ':exception-type';
  const headers = {
    [named]: { type: 'string', value: type },
    ':content-type': JSON_TYPE,
    ':message-type': { type: 'string', value: kind },
  } as const;
  return Buffer.from(codec().encode({ headers, body: Buffer.from(JSON.stringify(payload)) }));
}

/** What a caller is told where frames of its provider's are damaged: nothing behind them can be read. */
export const DAMAGED = 'The stream of the provider is damaged: a checksum is wrong.';
