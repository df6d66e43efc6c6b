import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEntry } from './call-entries.ts';

const BUCKETS = 256;

/** Held in memory before anything is spilt: the calls of a small ledger never touch a disk. */
const HELD_CHARS = 32 * 1024 * 1024;

/**
 * Gathers entries by call, whatever their order and number, in bounded memory: beyond 32 MB they are spilt into 256 files by a hash of
 * the call's id, and read back one file at a time (at ten million entries: 1 GB in the system's temporary folder, 40,000 entries a file).
 */
export class CallBuckets {
  readonly #lines: string[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #held: number;
  #chars = 0;
  #spill: { readonly dir: string; readonly files: readonly number[] } | null = null;

  constructor(heldChars = HELD_CHARS) {
    this.#held = heldChars;
  }

  /** Characters that went to disk. */
  spilt = 0;

  add(callId: string, entry: CallEntry): void {
    const line = toLine(callId, entry);
    this.#lines[bucketOf(callId)]?.push(line);
    this.#chars += line.length;
    if (this.#chars > this.#held) this.#write();
  }

  /** The entries of each call, in the order they were added. */
  *calls(): Generator<readonly CallEntry[]> {
    for (const [bucket, held] of this.#lines.entries()) {
      const calls = new Map<string, CallEntry[]>();
      for (const line of [...this.#read(bucket), ...held]) {
        const { callId, entry } = fromLine(line);
        const known = calls.get(callId);
        if (known === undefined) calls.set(callId, [entry]);
        else known.push(entry);
      }
      yield* calls.values();
    }
  }

  close(): void {
    if (this.#spill === null) return;
    for (const file of this.#spill.files) closeSync(file);
    rmSync(this.#spill.dir, { recursive: true, force: true });
    this.#spill = null;
  }

  #write(): void {
    this.#spill ??= openSpill();
    for (const [bucket, fd] of this.#spill.files.entries()) {
      const lines = this.#lines[bucket] ?? [];
      if (lines.length === 0) continue;
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      this.#lines[bucket] = [];
    }
    this.spilt += this.#chars;
    this.#chars = 0;
  }

  #read(bucket: number): readonly string[] {
    if (this.#spill === null) return [];
    const text = readFileSync(bucketFile(this.#spill.dir, bucket), 'utf8');
    return text === '' ? [] : text.trimEnd().split('\n');
  }
}

function openSpill(): { dir: string; files: readonly number[] } {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-calls-'));
  return { dir, files: Array.from({ length: BUCKETS }, (_, bucket) => openSync(bucketFile(dir, bucket), 'a', 0o600)) };
}

function bucketFile(dir: string, bucket: number): string {
  return join(dir, `${bucket}.calls`);
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function bucketOf(callId: string): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < callId.length; at += 1) hash = Math.imul(hash ^ callId.charCodeAt(at), FNV_PRIME);
  return (hash >>> 0) % BUCKETS;
}

/** Ids of ours have no line break; a JSON line has none whatever they have. */
function toLine(callId: string, entry: CallEntry): string {
  const { seq, entryId, kind, attempt, countsCall, state, resolves, cost, movedCost, computedCost, lines } = entry;
  const id = entryId.startsWith(callId) ? entryId.slice(callId.length) : `=${entryId}`;
  const terms = entry.hasTerms ? 1 : 0;
  const amounts = [cost, movedCost, computedCost, lines].map((amount) => (amount === null ? null : String(amount)));
  return JSON.stringify([callId, seq, id, kind, attempt, countsCall, state, resolves, terms, ...amounts]);
}

function fromLine(line: string): { callId: string; entry: CallEntry } {
  const [callId, seq, id, kind, attempt, countsCall, state, resolves, terms, ...amounts]: [
    string,
    number,
    string,
    string,
    number,
    number,
    string,
    string,
    number,
    string | null,
    string,
    string | null,
    string,
  ] = JSON.parse(line);
  const [cost, movedCost, computedCost, lines] = amounts;
  return {
    callId,
    entry: {
      seq,
      entryId: id.startsWith('=') ? id.slice(1) : `${callId}${id}`,
      kind,
      attempt,
      countsCall,
      state,
      resolves,
      cost: cost === null ? null : BigInt(cost),
      movedCost: BigInt(movedCost),
      computedCost: computedCost === null ? null : BigInt(computedCost),
      lines: BigInt(lines),
      hasTerms: terms === 1,
    },
  };
}
