import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAll } from './disk.ts';

/**
 * How far the journal is known to be synced. Written after each sync and never synced itself: `kill -9` leaves it exact, a power cut
 * may leave an older one. It tells a torn tail (after it, never acknowledged) from damage (before it, acknowledged).
 */
export type SyncedMark = { readonly segment: number; readonly offset: number; readonly seq: number };

const MARK_NAME = 'synced.mark';
const NUMBERS_BYTES = 24;
const MARK_BYTES = NUMBERS_BYTES + 4;

export function readMark(dir: string): SyncedMark | null {
  const bytes = readIfThere(join(dir, MARK_NAME));
  if (bytes === null || bytes.length !== MARK_BYTES) return null;
  if (crc32(bytes.subarray(0, NUMBERS_BYTES)) !== bytes.readUInt32LE(NUMBERS_BYTES)) return null;
  return { segment: bytes.readDoubleLE(0), offset: bytes.readDoubleLE(8), seq: bytes.readDoubleLE(16) };
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

export class MarkFile {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(MARK_BYTES);

  constructor(dir: string) {
    this.#fd = openSync(join(dir, MARK_NAME), constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  write(mark: SyncedMark): void {
    this.#bytes.writeDoubleLE(mark.segment, 0);
    this.#bytes.writeDoubleLE(mark.offset, 8);
    this.#bytes.writeDoubleLE(mark.seq, 16);
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(0, NUMBERS_BYTES)), NUMBERS_BYTES);
    writeAll(this.#fd, this.#bytes, 0);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
