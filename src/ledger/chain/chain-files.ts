import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import { invariant } from '#std';
import { syncDirectory, writeAll } from '../journal/disk.ts';
import type { ChainPoint } from './chain-link.ts';

/**
 * What is kept of a node's chain, in `chain/` of its data directory. All of it follows from the journal, and can be made again; its worth is
 * that somebody else may have read it before the journal was changed.
 *
 * `heads.jsonl`: the head after every thousandth entry, and after those that came before a pause. `roots.jsonl`: the head at the end of each
 * UTC day. `digests.bin`: four bytes of each entry's digest at its place, which say where two heads disagree.
 */
export type DailyRoot = {
  readonly day: string;
  readonly node_id: string;
  readonly epoch: number;
  /** The last entry it covers; it covers all before, too. */
  readonly seq: number;
  /** Hex of the chain's head after that entry. */
  readonly root: string;
  readonly written_at: string;
};

export const CHECK_BYTES = 4;

const HEADS = 'heads.jsonl';
const ROOTS = 'roots.jsonl';
const DIGESTS = 'digests.bin';

/** In the order they were written; a last line that a crash cut short is left out. */
export function readHeads(dir: string): ChainPoint[] {
  return readLines(dir, HEADS).map(parseHead);
}

export function readRoots(dir: string): DailyRoot[] {
  return readLines(dir, ROOTS).map(parseRoot);
}

/** The kept first bytes of the digests of entries `first` to `last`; shorter where they are not there. */
export function readChecks(dir: string, first: number, last: number): Buffer {
  const path = join(dir, DIGESTS);
  if (!existsSync(path)) return Buffer.alloc(0);
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc((last - first + 1) * CHECK_BYTES);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, (first - 1) * CHECK_BYTES));
  } finally {
    closeSync(fd);
  }
}

/** Appends to the files of a chain; made for one writer. Throws when the disk refuses. */
export class ChainFiles {
  readonly #heads: AppendedFile;
  readonly #roots: AppendedFile;
  readonly #digests: number;
  #checks: Buffer[] = [];
  #checksFrom = 0;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#heads = new AppendedFile(join(dir, HEADS));
    this.#roots = new AppendedFile(join(dir, ROOTS));
    this.#digests = openSync(join(dir, DIGESTS), constants.O_RDWR | constants.O_CREAT, 0o600);
    syncDirectory(dir);
  }

  /** How many entries have their four bytes on disk. */
  get checked(): number {
    return Math.floor(fstatSync(this.#digests).size / CHECK_BYTES);
  }

  check(seq: number, digest: Buffer): void {
    if (this.#checks.length === 0) this.#checksFrom = seq;
    this.#checks.push(digest.subarray(0, CHECK_BYTES));
  }

  root(root: DailyRoot): void {
    this.#roots.append(JSON.stringify(root));
  }

  /** Everything given so far, on disk, and then the head that says so. */
  head({ seq, head, day }: ChainPoint): void {
    this.#writeChecks();
    this.#heads.append(JSON.stringify({ seq, head: head.toString('hex'), day }));
  }

  close(): void {
    this.#heads.close();
    this.#roots.close();
    closeSync(this.#digests);
  }

  #writeChecks(): void {
    if (this.#checks.length === 0) return;
    const bytes = Buffer.concat(this.#checks);
    const offset = (this.#checksFrom - 1) * CHECK_BYTES;
    writeAll(this.#digests, bytes, offset);
    ftruncateSync(this.#digests, offset + bytes.length);
    fdatasyncSync(this.#digests);
    this.#checks = [];
  }
}

const NEWLINE = 0x0a;

/** A file of lines. What a crash cut short at its end is cut off when it is opened. */
class AppendedFile {
  readonly #fd: number;
  #offset: number;

  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    this.#offset = readFileSync(path).lastIndexOf(NEWLINE) + 1;
    ftruncateSync(this.#fd, this.#offset);
  }

  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    writeAll(this.#fd, bytes, this.#offset);
    fdatasyncSync(this.#fd);
    this.#offset += bytes.length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function readLines(dir: string, name: string): unknown[] {
  const path = join(dir, name);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
}

const HASH_TEXT = /^[0-9a-f]{64}$/;

function parseHead(json: unknown): ChainPoint {
  invariant(typeof json === 'object' && json !== null, 'a head is an object');
  invariant('seq' in json && typeof json.seq === 'number', 'a head has a sequence number');
  invariant('head' in json && typeof json.head === 'string' && HASH_TEXT.test(json.head), 'a head is a SHA-256');
  invariant('day' in json && (typeof json.day === 'string' || json.day === null), 'a head has a day');
  return { seq: json.seq, head: Buffer.from(json.head, 'hex'), day: json.day };
}

function parseRoot(json: unknown): DailyRoot {
  invariant(typeof json === 'object' && json !== null, 'a root is an object');
  invariant('day' in json && typeof json.day === 'string', 'a root has a day');
  invariant('node_id' in json && typeof json.node_id === 'string', 'a root has a node');
  invariant('epoch' in json && typeof json.epoch === 'number', 'a root has an epoch');
  invariant('seq' in json && typeof json.seq === 'number', 'a root has a sequence number');
  invariant('root' in json && typeof json.root === 'string' && HASH_TEXT.test(json.root), 'a root is a SHA-256');
  invariant('written_at' in json && typeof json.written_at === 'string', 'a root says when it was written');
  const { day, node_id, epoch, seq, root, written_at } = json;
  return { day, node_id, epoch, seq, root, written_at };
}
