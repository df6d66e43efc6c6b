import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '#std';
import { readRange, writeAll } from '../journal/disk.ts';
import { bytesOf } from './copied-file.ts';
import { spoiled } from './manifest.ts';

/** The `ustar` format, as far as a backup needs it: plain files, names of up to 100 characters, up to 8 GiB each. */
const BLOCK = 512;
const NAME = { at: 0, bytes: 100 };
const SIZE = { at: 124, bytes: 12 };
const SUM = { at: 148, bytes: 8 };
const MOST_BYTES = 8 ** 11 - 1;

/** A member of an archive: its bytes are in the archive's file from `offset` on. */
export type TarMember = { readonly path: string; readonly offset: number; readonly bytes: number };

/** Writes files of a folder into a new archive, to the disk. @param paths relative to the folder */
export function writeTar(to: string, dir: string, paths: readonly string[]): void {
  const fd = openSync(to, 'wx', 0o600);
  try {
    let at = 0;
    for (const path of paths) at = writeMember(fd, at, { dir, path });
    writeAll(fd, Buffer.alloc(BLOCK * 2), at);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeMember(fd: number, at: number, { dir, path }: { readonly dir: string; readonly path: string }): number {
  const from = openSync(join(dir, path), 'r');
  try {
    const source = bytesOf(from);
    const chunk = Buffer.allocUnsafe(1024 * 1024);
    let bytes = 0;
    for (let read = source(chunk, 0); read > 0; read = source(chunk, bytes)) {
      writeAll(fd, chunk.subarray(0, read), at + BLOCK + bytes);
      bytes += read;
    }
    writeAll(fd, header(path, bytes), at);
    const padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    writeAll(fd, Buffer.alloc(padding), at + BLOCK + bytes);
    return at + BLOCK + bytes + padding;
  } finally {
    closeSync(from);
  }
}

function header(path: string, bytes: number): Buffer {
  invariant(Buffer.byteLength(path) <= NAME.bytes, `a name in an archive has at most ${NAME.bytes} bytes: ${path}`);
  invariant(bytes <= MOST_BYTES, `a file in an archive has at most ${MOST_BYTES} bytes: ${path}`);
  const head = Buffer.alloc(BLOCK);
  head.write(path, NAME.at);
  head.write('0000600\0', 100);
  head.write('0000000\0', 108);
  head.write('0000000\0', 116);
  head.write(`${bytes.toString(8).padStart(11, '0')}\0`, SIZE.at);
  head.write('00000000000\0', 136);
  head.write('0', 156);
  head.write('ustar\u{0}00', 257);
  head.write(`${sumOf(head).toString(8).padStart(6, '0')}\0 `, SUM.at);
  return head;
}

/** Of all bytes of the header, its own field counted as spaces. */
function sumOf(head: Buffer): number {
  let sum = 0;
  for (const [at, byte] of head.entries()) sum += at >= SUM.at && at < SUM.at + SUM.bytes ? 32 : byte;
  return sum;
}

/** The members of an archive. Throws when the archive is damaged or cut short. */
export function listTar(path: string): TarMember[] {
  const fd = openSync(path, 'r');
  try {
    const members: TarMember[] = [];
    for (let at = 0; ;) {
      const head = readRange(fd, at, at + BLOCK);
      if (head.length < BLOCK) throw spoiled(path, 'it is cut short');
      if (head.every((byte) => byte === 0)) return members;
      if (Number.parseInt(textOf(head, SUM), 8) !== sumOf(head)) throw spoiled(path, `it is damaged at offset ${at}`);
      const bytes = Number.parseInt(textOf(head, SIZE), 8);
      members.push({ path: textOf(head, NAME), offset: at + BLOCK, bytes });
      at += BLOCK + Math.ceil(bytes / BLOCK) * BLOCK;
    }
  } finally {
    closeSync(fd);
  }
}

function textOf(head: Buffer, { at, bytes }: { readonly at: number; readonly bytes: number }): string {
  const field = head.subarray(at, at + bytes);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? bytes : end);
}
