import { closeSync, fstatSync, openSync } from 'node:fs';
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { damaged } from './damage.ts';
import { readRange, writeAll } from './disk.ts';
import type { SegmentFile } from './segment-file.ts';

/**
 * A compressed segment is a row of zstd frames of one block of plain bytes each, so that any place is read without what is before
 * it, and behind them, in a skippable frame, the index: every zstd tool unpacks the file (`zstd -d`) and skips the index.
 *
 *     zstd frame … | 0x184D2A50 u32 | size u32 | index as JSON | JSON bytes u32 | CRC of the JSON u32 | "APZ1"
 *
 * Each byte is under a check: of a block the CRC of its compressed bytes in the index, of the index its own.
 */
export type SegmentIndex = z.infer<typeof indexSchema>;

const BLOCK_BYTES = 1024 * 1024;
const LEVEL = 3;

const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_HEAD_BYTES = 8;
const FOOT_BYTES = 12;
const FOOT_NAME = Buffer.from('APZ1');

const count = z.int().min(0);

const indexSchema = z.object({
  format: z.literal(1),
  node_id: z.string(),
  epoch: count,
  segment: count,
  first_seq: count,
  last_seq: count,
  /** Size of the plain file, and the CRC of its last frame when it was sealed: what the header of the next segment says. */
  plain_bytes: count,
  plain_crc: count,
  /** Of the plain file. */
  sha256: z.string(),
  block_bytes: z.int().min(1),
  /** Size and CRC of each block, compressed. */
  blocks: z.array(z.tuple([count, count])),
});

/** Writes the blocks of a file that is being made, then its index. */
export class CompressedWriter {
  readonly #fd: number;
  readonly #blocks: [number, number][] = [];
  #offset = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  static readonly blockBytes = BLOCK_BYTES;

  /** @param plain of `blockBytes`, but for the last one */
  block(plain: Buffer): void {
    const { ZSTD_c_compressionLevel: level, ZSTD_c_checksumFlag: checksum } = constants;
    const compressed = zstdCompressSync(plain, { params: { [level]: LEVEL, [checksum]: 1 } });
    writeAll(this.#fd, compressed, this.#offset);
    this.#offset += compressed.length;
    this.#blocks.push([compressed.length, crc32(compressed)]);
  }

  index(index: Omit<SegmentIndex, 'format' | 'block_bytes' | 'blocks'>): void {
    const whole: SegmentIndex = { format: 1, ...index, block_bytes: BLOCK_BYTES, blocks: this.#blocks };
    const json = Buffer.from(JSON.stringify(whole));
    const head = Buffer.alloc(SKIPPABLE_HEAD_BYTES);
    head.writeUInt32LE(SKIPPABLE, 0);
    head.writeUInt32LE(json.length + FOOT_BYTES, 4);
    const foot = Buffer.alloc(FOOT_BYTES);
    foot.writeUInt32LE(json.length, 0);
    foot.writeUInt32LE(crc32(json), 4);
    FOOT_NAME.copy(foot, 8);
    writeAll(this.#fd, Buffer.concat([head, json, foot]), this.#offset);
  }
}

/** Throws `journal_unavailable` on damage, at once in the index, and in a block when it is read. */
export function openCompressed(path: string): SegmentFile & { readonly index: SegmentIndex } {
  const fd = openSync(path, 'r');
  try {
    return new CompressedFile(path, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

class CompressedFile implements SegmentFile {
  readonly path: string;
  readonly index: SegmentIndex;
  readonly #fd: number;
  /** Where each block begins, and behind the last one where it ends. */
  readonly #starts: readonly number[];
  #block: { readonly number: number; readonly plain: Buffer } | null = null;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    const { index, at } = readIndex(path, fd);
    this.index = index;
    const starts = [0];
    for (const [bytes] of index.blocks) starts.push((starts.at(-1) ?? 0) + bytes);
    this.#starts = starts;
    if (starts.at(-1) !== at) throw damaged(path, `its blocks end at ${starts.at(-1)}, its index begins at ${at}`);
  }

  read(into: Buffer, position: number): number {
    if (position >= this.index.plain_bytes) return 0;
    const { block_bytes: blockBytes } = this.index;
    const number = Math.floor(position / blockBytes);
    return this.#plain(number).copy(into, 0, position - number * blockBytes);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #plain(number: number): Buffer {
    if (this.#block?.number === number) return this.#block.plain;
    const plain = this.#unpack(number);
    this.#block = { number, plain };
    return plain;
  }

  #unpack(number: number): Buffer {
    const [from = 0, to = 0] = this.#starts.slice(number, number + 2);
    const compressed = readRange(this.#fd, from, to);
    if (crc32(compressed) !== this.index.blocks[number]?.[1]) throw damaged(this.path, `block ${number} was changed`);
    const { block_bytes: blockBytes, plain_bytes: plainBytes } = this.index;
    const plain = zstdDecompressSync(compressed, { maxOutputLength: blockBytes });
    if (plain.length === Math.min(blockBytes, plainBytes - number * blockBytes)) return plain;
    throw damaged(this.path, `block ${number} has ${plain.length} bytes`);
  }
}

/** Read from the end. `at` is where its frame begins. */
function readIndex(path: string, fd: number): { index: SegmentIndex; at: number } {
  const size = fstatSync(fd).size;
  const foot = readRange(fd, Math.max(0, size - FOOT_BYTES), size);
  if (foot.length < FOOT_BYTES || !foot.subarray(8).equals(FOOT_NAME)) throw damaged(path, 'its end is missing');
  const jsonBytes = foot.readUInt32LE(0);
  const at = size - FOOT_BYTES - jsonBytes - SKIPPABLE_HEAD_BYTES;
  if (at < 0) throw damaged(path, 'its index does not fit into it');
  const frame = readRange(fd, at, size - FOOT_BYTES);
  const json = frame.subarray(SKIPPABLE_HEAD_BYTES);
  const framed = frame.readUInt32LE(0) === SKIPPABLE && frame.readUInt32LE(4) === jsonBytes + FOOT_BYTES;
  if (!framed || crc32(json) !== foot.readUInt32LE(4)) throw damaged(path, 'its index was changed');
  const parsed = indexSchema.safeParse(JSON.parse(json.toString()));
  if (!parsed.success) throw damaged(path, 'its index is of a format this version does not know');
  return { index: parsed.data, at };
}
