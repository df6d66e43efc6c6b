import { join } from 'node:path';
import { ApportionError } from '#terms';
import { readEntries } from '../journal/entry-reader.ts';
import { readMark } from '../journal/synced-mark.ts';
import { requireNode } from '../node-file.ts';
import { CHECK_BYTES, readChecks, readHeads, readRoots, type DailyRoot } from './chain-files.ts';
import { chainStart, GrowingChain, postedDay, type ChainPoint } from './chain-link.ts';
import { entryDigest } from './entry-digest.ts';
import { oldestSeq } from './segment-borders.ts';

export type VerifyRange = {
  /** UTC days, `2026-11-01`, both included. */
  readonly from?: string;
  readonly to?: string;
  /** A root kept elsewhere, in hex: it must be the chain's head after some entry of the range. */
  readonly root?: string;
};

export type Broken = {
  /** The first entry that is not as it was; where only a stretch is known, the first of it. */
  readonly seq: number;
  /** The last of the stretch. */
  readonly through: number;
  readonly why: string;
};

export type Verification = {
  readonly nodeId: string;
  /** What was read: entries `first` to `last`; `last` is less than `first` when there were none. */
  readonly first: number;
  readonly last: number;
  /** Hex of the head after `last`. */
  readonly head: string;
  /** How much of what was written down the journal was compared with. */
  readonly compared: { readonly entries: number; readonly heads: number; readonly roots: number };
  /** The entry after which the chain had the root that was asked for; null when it never had, or none was asked for. */
  readonly rootAt: number | null;
  /** Days were asked for, and no entry that was read is of one of them. */
  readonly noneOfRange: boolean;
  /** Null when nothing is broken. */
  readonly broken: Broken | null;
};

/**
 * Reads the journal again and compares it with what was written down when it was chained: the digest of each entry, the heads, the daily
 * roots, and a root kept elsewhere. Streaming; stops at the first entry that is not as it was. @param dir the data directory
 */
export function verifyChain(dir: string, range: VerifyRange = {}): Verification {
  const chainDir = join(dir, 'chain');
  const { node_id: nodeId } = requireNode(dir);
  const journalDir = join(dir, 'journal');
  const { heads, roots, unreadable } = readWritten(chainDir);
  const start = startOf({ nodeId, heads, roots, oldest: oldestOf(journalDir) }, range.from);
  const end = endOf(roots, range.to);
  const written = new WrittenChain({ dir: chainDir, heads, roots, start: start.seq });
  const through = end ?? Math.max(readMark(journalDir)?.seq ?? 0, written.last);
  const walk = new Walk({ start, written, root: range.root?.toLowerCase() ?? null });
  const failure = walk.run(journalDir, through);
  const { broken, ...result } = walk.result(through, failure);
  return { nodeId, ...result, noneOfRange: !walk.hasDayOf(range), broken: broken ?? unreadable };
}

type ReadBack = Pick<Known, 'heads' | 'roots'> & { readonly unreadable: Broken | null };

/** Files that were made unreadable are a finding; a root kept elsewhere proves the entries without them. */
function readWritten(chainDir: string): ReadBack {
  try {
    return { heads: readHeads(chainDir), roots: readRoots(chainDir), unreadable: null };
  } catch (error) {
    const why = `what was written down in ${chainDir} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { heads: [], roots: [], unreadable: { seq: 1, through: 1, why } };
  }
}

/** Of files that cannot be read the reading itself says so, with their place. */
function oldestOf(journalDir: string): number {
  try {
    return oldestSeq(journalDir);
  } catch (error) {
    if (isDamage(error)) return 1;
    throw error;
  }
}

function isDamage(error: unknown): error is ApportionError {
  return error instanceof ApportionError && error.code === 'journal_unavailable';
}

type Known = {
  readonly nodeId: string;
  readonly heads: readonly ChainPoint[];
  readonly roots: readonly DailyRoot[];
  /** The first entry that the journal still has. */
  readonly oldest: number;
};

/** The end of the last day before `from`, or the beginning of what the journal still has. */
function startOf({ nodeId, heads, roots, oldest }: Known, from: string | undefined): ChainPoint {
  const before = from === undefined ? undefined : roots.findLast(({ day, seq }) => day < from && seq >= oldest - 1);
  if (before !== undefined) return { seq: before.seq, head: Buffer.from(before.root, 'hex'), day: before.day };
  const kept = oldest === 1 ? undefined : heads.find(({ seq }) => seq >= oldest - 1);
  return kept ?? { seq: 0, head: chainStart(nodeId), day: null };
}

/** The last entry of the day `to`; undefined when that day is not over, and the range has no end. */
function endOf(roots: readonly DailyRoot[], to: string | undefined): number | undefined {
  if (to === undefined || (roots.at(-1)?.day ?? '') < to) return undefined;
  return roots.findLast(({ day }) => day <= to)?.seq ?? 0;
}

type Written = Pick<Known, 'heads' | 'roots'> & { readonly dir: string; readonly start: number };

/** What was written down of the chain, asked for in the order of the entries. */
class WrittenChain {
  readonly #dir: string;
  readonly #heads: ReadonlyMap<number, string>;
  readonly #roots: ReadonlyMap<number, DailyRoot>;
  #checks: Buffer = Buffer.alloc(0);
  #checksFrom = 0;
  readonly last: number;
  compared = { entries: 0, heads: 0, roots: 0 };
  /** The last entry up to which a head agreed. */
  agreed: number;

  constructor({ dir, heads, roots, start }: Written) {
    this.#dir = dir;
    this.#heads = new Map(heads.map(({ seq, head }) => [seq, head.toString('hex')]));
    this.#roots = new Map(roots.map((root) => [root.seq, root]));
    this.last = Math.max(0, heads.at(-1)?.seq ?? 0, roots.at(-1)?.seq ?? 0);
    this.agreed = start;
  }

  /** Null when the entry is as it was written down, or was not written down yet. */
  differs(seq: number, digest: Buffer, head: Buffer): Broken | null {
    const check = this.#checkOf(seq);
    if (check !== null) {
      if (!check.equals(digest.subarray(0, CHECK_BYTES))) return { seq, through: seq, why: 'the entry was changed' };
      this.compared.entries += 1;
    }
    return this.#headDiffers(seq, head.toString('hex'));
  }

  #headDiffers(seq: number, head: string): Broken | null {
    const known = this.#heads.get(seq);
    const root = this.#roots.get(seq);
    if (known === undefined && root === undefined) return null;
    const stretch = { seq: this.agreed + 1, through: seq };
    if (known !== undefined) {
      if (known !== head) return { ...stretch, why: 'the entries, or what was written down of them, were changed' };
      this.compared.heads += 1;
    }
    if (root !== undefined) {
      if (root.root !== head) return { ...stretch, why: `the root of ${root.day} is another` };
      this.compared.roots += 1;
    }
    this.agreed = seq;
    return null;
  }

  #checkOf(seq: number): Buffer | null {
    if (seq >= this.#checksFrom + this.#checks.length / CHECK_BYTES) {
      this.#checksFrom = seq;
      this.#checks = readChecks(this.#dir, seq, seq + CHECKS_AT_ONCE - 1);
    }
    const at = (seq - this.#checksFrom) * CHECK_BYTES;
    return at + CHECK_BYTES <= this.#checks.length ? this.#checks.subarray(at, at + CHECK_BYTES) : null;
  }
}

const CHECKS_AT_ONCE = 65_536;

class Walk {
  readonly #start: ChainPoint;
  readonly #written: WrittenChain;
  readonly #root: string | null;
  readonly #chain: GrowingChain;
  #firstDay: string | null = null;
  #rootAt: number | null = null;
  #broken: Broken | null = null;

  constructor({ start, written, root }: { start: ChainPoint; written: WrittenChain; root: string | null }) {
    this.#start = start;
    this.#written = written;
    this.#root = root;
    this.#chain = new GrowingChain(start);
  }

  /** Whether entries of such days were read; days are in order, as the chain counts them. */
  hasDayOf({ from, to }: VerifyRange): boolean {
    if (from === undefined && to === undefined) return true;
    const { day: last } = this.#chain.point;
    if (this.#firstDay === null || last === null) return false;
    return (from ?? '') <= last && (to === undefined || this.#firstDay <= to);
  }

  /** What the journal's files said when they could not be read; null when they could. */
  run(journalDir: string, through: number): string | null {
    try {
      for (const { seq, body } of readEntries(journalDir, { after: this.#start.seq, through })) {
        this.#take(seq, body);
        if (this.#broken !== null) return null;
      }
    } catch (error) {
      if (isDamage(error)) return error.message;
      throw error;
    }
    return null;
  }

  #take(seq: number, body: Buffer): void {
    const digest = entryDigest(body);
    this.#chain.add(digest, postedDay(body));
    const { head, day } = this.#chain.point;
    this.#firstDay ??= day;
    if (this.#root !== null && this.#rootAt === null && head.toString('hex') === this.#root) this.#rootAt = seq;
    this.#broken = this.#written.differs(seq, digest, head);
  }

  result(through: number, failure: string | null): Omit<Verification, 'nodeId' | 'noneOfRange'> {
    const { seq, head } = this.#chain.point;
    return {
      first: this.#start.seq + 1,
      last: seq,
      head: head.toString('hex'),
      compared: this.#written.compared,
      rootAt: this.#rootAt,
      broken: this.#broken ?? this.#unread(through, failure) ?? this.#withoutRoot(),
    };
  }

  #unread(through: number, failure: string | null): Broken | null {
    const { seq } = this.#chain.point;
    const missing = { seq: seq + 1, through: Math.max(through, seq + 1) };
    if (failure !== null) return { ...missing, why: failure };
    return seq < through ? { ...missing, why: 'the entries are missing from the journal' } : null;
  }

  #withoutRoot(): Broken | null {
    if (this.#root === null || this.#rootAt !== null) return null;
    const why = 'the chain never had this root: the journal is not the one it was taken from';
    return { seq: this.#start.seq + 1, through: this.#chain.point.seq, why };
  }
}
