import { existsSync, mkdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { invariant } from '#std';
import { createDurably, syncDirectory } from '../journal/disk.ts';
import type { ErasureSubject } from './subject.ts';

/**
 * `running`: values are being erased. `clearing`: nothing shows them any more; the store's engine still has old files, for about a minute.
 */
export type ErasureState = 'running' | 'clearing' | 'done';

/** What is written down of an erasure, without the value: its keyed hash can be compared with a value that somebody asks about. */
export type ErasureRecord = {
  readonly id: string;
  readonly kind: ErasureSubject['kind'];
  /** The dimension's key; null for sessions and owners. */
  readonly key: string | null;
  /** HMAC-SHA256 of kind, key and value under the data directory's secret, in hex. */
  readonly value_hash: string;
  readonly actor: string;
  readonly reason: string;
  readonly requested_at: string;
  readonly state: ErasureState;
  readonly finished_at: string | null;
  /** Entries of the journal, rows of the store, entries in quarantine that lost values, over all attempts of this erasure. */
  readonly entries: number;
  readonly rows: number;
  readonly quarantined: number;
  /** Rows of the control plane that were removed or lost the value. */
  readonly control: number;
  /** Leftovers that were removed whole: torn ends of writes, stores that were set aside. */
  readonly removed: number;
  /** Calls of the subject that ran when it was asked for and have not been erased yet. */
  readonly waiting: number;
  /** What is configured with the value, and would put it into new entries: ids of keys, teams and price terms. */
  readonly still_named_by: readonly string[];
  /** Why it does not go on; null while it does. It is tried again. */
  readonly problem: string | null;
};

/** An erasure that is not done, with what it needs to go on: the value. */
export type PendingErasure = {
  readonly record: ErasureRecord;
  readonly subject: ErasureSubject;
  /** The store's files that still have values, once they are known. */
  readonly replaced: readonly string[] | null;
};

/**
 * The journal of erasures, `erasures/` in the data directory: a file for each that is not done, which has the value and goes with the last step, and
 * `done.jsonl` with a line for each that is.
 */
export class ErasureLog {
  readonly #dir: string;

  constructor(dataDir: string) {
    this.#dir = join(dataDir, 'erasures');
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    syncDirectory(dataDir);
  }

  pending(): PendingErasure[] {
    const path = this.#pendingPath();
    if (!existsSync(path)) return [];
    return pendingSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  }

  /** Newest first. */
  list(): ErasureRecord[] {
    const open = this.pending().map(({ record }) => record);
    return [...this.#done(), ...open].toReversed();
  }

  /** Adds it, or puts it in the place of what it was. On disk when this returns. */
  put(erasure: PendingErasure): void {
    const { id } = erasure.record;
    const others = this.pending();
    const at = others.findIndex(({ record }) => record.id === id);
    this.#write(at < 0 ? [...others, erasure] : others.with(at, erasure));
  }

  /** From then on nothing here has the value. Cut short after its first step, it is done again without a second line. */
  finish(record: ErasureRecord): void {
    invariant(record.state === 'done', 'an erasure is finished when it is done');
    const done = this.#done();
    if (!done.some(({ id }) => id === record.id)) writeWhole(this.#donePath(), linesOf([...done, record]));
    this.#write(this.pending().filter((pending) => pending.record.id !== record.id));
  }

  #done(): ErasureRecord[] {
    const path = this.#donePath();
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    return lines.map((line) => recordSchema.parse(JSON.parse(line)));
  }

  #write(pending: readonly PendingErasure[]): void {
    const path = this.#pendingPath();
    if (pending.length > 0) return writeWhole(path, JSON.stringify(pending));
    rmSync(path, { force: true });
    syncDirectory(this.#dir);
  }

  #pendingPath(): string {
    return join(this.#dir, 'pending.json');
  }

  #donePath(): string {
    return join(this.#dir, 'done.jsonl');
  }
}

function linesOf(records: readonly ErasureRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

function writeWhole(path: string, text: string): void {
  createDurably(path, (fd) => writeSync(fd, text));
}

const count = z.int().min(0);

const recordSchema = z.object({
  id: z.string(),
  kind: z.enum(['tag', 'session', 'key_owner']),
  key: z.string().nullable(),
  value_hash: z.string(),
  actor: z.string(),
  reason: z.string(),
  requested_at: z.string(),
  state: z.enum(['running', 'clearing', 'done']),
  finished_at: z.string().nullable(),
  entries: count,
  rows: count,
  quarantined: count,
  control: count,
  removed: count,
  waiting: count,
  still_named_by: z.array(z.string()),
  problem: z.string().nullable(),
});

const subjectSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tag'), key: z.string(), value: z.string() }),
  z.object({ kind: z.literal('session'), value: z.string() }),
  z.object({ kind: z.literal('key_owner'), value: z.string() }),
]);

const pendingSchema = z.array(
  z.object({ record: recordSchema, subject: subjectSchema, replaced: z.array(z.string()).nullable() }),
);
