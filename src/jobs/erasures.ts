import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ERASED,
  holder,
  remover,
  type ErasureLog,
  type ErasureRecord,
  type ErasureSubject,
  type JournalErased,
  type JournalErasure,
  type PendingErasure,
} from '#ledger/erase';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import type { AuditLog } from './audited.ts';
import type { ErasureRequest, Erasures } from './erasure-request.ts';
import type { InTurn } from './turns.ts';

export type ErasureDeps = {
  readonly log: ErasureLog;
  /** Key of the hashes by which records name values. */
  readonly secret: Buffer;
  readonly inTurn: InTurn;
  /** Runs work while nothing else is done to sealed segments. */
  readonly alone: InTurn;
  /** Seals the journal's newest segment. */
  readonly rotate: () => Promise<void>;
  /** Of this node, and of adopted ones. */
  readonly journals: () => readonly string[];
  readonly eraseJournals: (erasure: JournalErasure) => Promise<JournalErased>;
  readonly untilStored: () => Promise<void>;
  readonly store: ErasedStore;
  /** Quarantined entries that lost the value. */
  readonly eraseQuarantine: (subject: ErasureSubject) => number;
  readonly forget: (
    request: ForgetInControl,
  ) => Promise<{ readonly rows: number; readonly stillNamedBy: readonly string[] }>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly tell: Pick<Log, 'info' | 'error'>;
};

type Log = {
  info(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
};

type ErasedStore = {
  readonly eraseRows: (subject: ErasureSubject) => Promise<number>;
  /** Stores that were set aside, with all rows in them. */
  readonly removeAside: () => Promise<number>;
  readonly replacedFiles: () => Promise<readonly string[]>;
  readonly keepReplacedFiles: () => Promise<void>;
};

type ForgetInControl = {
  readonly value: string;
  readonly ofKeys: boolean;
  readonly holds: (text: string) => boolean;
  /** A text without the value. */
  readonly without: (text: string) => string;
  readonly erased: string;
};

/** How long whoever asks is kept waiting for the end of a small ledger's erasure. */
const ANSWER_MS = 15_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const CLEARING_WAIT_MS = 2_000;

type Reached = 'again' | 'cleared' | 'done';

/** Erases what was asked for, one step at a time, and goes on with what an earlier process had begun. */
export function createErasures(deps: ErasureDeps): Erasures {
  return new RunningErasures(deps);
}

class RunningErasures implements Erasures {
  readonly #deps: ErasureDeps;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(deps: ErasureDeps) {
    this.#deps = deps;
    for (const { record } of deps.log.pending()) void this.#start(record.id);
  }

  async request(request: ErasureRequest): Promise<ErasureRecord> {
    const { log, audit, tell } = this.#deps;
    if (holder(request.subject)(request.reason)) throw reasonNames();
    const erasure = newErasure(this.#deps, request);
    log.put(erasure);
    const { id, kind, key, value_hash, reason } = erasure.record;
    const detail = { kind, key, value_hash, reason };
    await audit.record({ actor: request.actor, action: 'erasure.begin', target: id, detail });
    tell.info({ id, kind, key, value_hash }, 'an erasure begins');
    await Promise.race([this.#start(id), this.#pause(ANSWER_MS)]);
    return this.list().find((record) => record.id === id) ?? erasure.record;
  }

  list(): readonly ErasureRecord[] {
    return this.#deps.log.list();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  /** Resolves when nothing shows the value any more; what is left to do then goes on. */
  #start(id: string): Promise<void> {
    const cleared = this.#repeat(id, 'cleared', LONGEST_WAIT_MS);
    const done = cleared.then(() => this.#repeat(id, 'done', CLEARING_WAIT_MS));
    this.#running.add(done);
    void done.finally(() => this.#running.delete(done));
    return cleared;
  }

  /** Until it is there, or further, with a pause between two tries that grows while nothing changes. */
  async #repeat(id: string, until: 'cleared' | 'done', longestMs: number): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !this.#closing.signal.aborted; waitMs = Math.min(longestMs, waitMs * 2)) {
      const reached = await this.#step(id);
      if (reached === until || reached === 'done') return;
      await this.#pause(waitMs);
    }
  }

  /** Closing ends it; what was waited for goes on at the next start. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    const ended = (): void => undefined;
    await delay(ms, undefined, { signal, ref: false }).catch(ended);
  }

  async #step(id: string): Promise<Reached> {
    const { log, tell } = this.#deps;
    const erasure = log.pending().find(({ record }) => record.id === id);
    if (erasure === undefined) return 'done';
    try {
      return erasure.record.state === 'running' ? await this.#erase(erasure) : await this.#clear(erasure);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      tell.error({ err: error, id }, 'an erasure does not go on and is tried again');
      log.put({ ...erasure, record: { ...erasure.record, problem } });
      return 'again';
    }
  }

  /** All of it, from the journal on, in turn with jobs that would write entries from what they read before. */
  #erase(erasure: PendingErasure): Promise<'cleared' | 'again'> {
    const { subject } = erasure;
    return this.#deps.inTurn(async () => {
      const { log, store, alone } = this.#deps;
      const journal = await alone(() => this.#eraseJournal(erasure));
      const record = withJournal(erasure.record, journal);
      log.put({ ...erasure, record });
      if (journal.waiting > 0) return 'again';
      await this.#deps.untilStored();
      const rows = await store.eraseRows(subject);
      const quarantined = this.#deps.eraseQuarantine(subject);
      const removed = await store.removeAside();
      const control = await this.#deps.forget(inControl(subject));
      log.put({
        ...erasure,
        record: {
          ...record,
          state: 'clearing',
          rows: record.rows + rows,
          quarantined: record.quarantined + quarantined,
          removed: record.removed + removed,
          control: record.control + control.rows,
          still_named_by: control.stillNamedBy,
        },
        replaced: await store.replacedFiles(),
      });
      return 'cleared';
    });
  }

  async #eraseJournal({ record, subject }: PendingErasure): Promise<JournalErased> {
    const { rotate, journals, eraseJournals } = this.#deps;
    await rotate();
    return eraseJournals({ journals: journals(), subject, until: Date.parse(record.requested_at) });
  }

  /** Waits for the engine to remove the files that have the old values. */
  async #clear(erasure: PendingErasure): Promise<'done' | 'cleared'> {
    const { log, store, audit, clock, tell } = this.#deps;
    const replaced = erasure.replaced ?? [];
    const there = (await store.replacedFiles()).filter((name) => replaced.includes(name));
    if (there.length > 0) return 'cleared';
    await store.keepReplacedFiles();
    const finished_at = new Date(clock.now()).toISOString();
    const record: ErasureRecord = { ...erasure.record, state: 'done', finished_at, problem: null };
    await audit.record({ actor: record.actor, action: 'erasure.done', target: record.id, detail: figuresOf(record) });
    log.finish(record);
    tell.info({ id: record.id, ...figuresOf(record) }, 'an erasure is done');
    return 'done';
  }
}

function newErasure({ secret, clock }: ErasureDeps, { subject, reason, actor }: ErasureRequest): PendingErasure {
  const key = subject.kind === 'tag' ? subject.key : null;
  const record: ErasureRecord = {
    id: `erasure_${randomBytes(12).toString('hex')}`,
    kind: subject.kind,
    key,
    value_hash: valueHash(secret, subject),
    actor,
    reason,
    requested_at: new Date(clock.now()).toISOString(),
    state: 'running',
    finished_at: null,
    entries: 0,
    rows: 0,
    quarantined: 0,
    control: 0,
    removed: 0,
    waiting: 0,
    still_named_by: [],
    problem: null,
  };
  return { record, subject, replaced: null };
}

/** Says whether two erasures were of the same value to whoever has the data directory's secret, and nothing to anybody else. */
function valueHash(secret: Buffer, subject: ErasureSubject): string {
  const named = [subject.kind, subject.kind === 'tag' ? subject.key : '', subject.value];
  return createHmac('sha256', secret).update(JSON.stringify(named)).digest('hex');
}

function withJournal(record: ErasureRecord, { entries, removed, waiting }: JournalErased): ErasureRecord {
  return { ...record, entries: record.entries + entries, removed: record.removed + removed, waiting, problem: null };
}

function inControl(subject: ErasureSubject): ForgetInControl {
  return {
    value: subject.value,
    ofKeys: subject.kind === 'key_owner',
    holds: holder(subject),
    without: remover(subject),
    erased: ERASED,
  };
}

function figuresOf(record: ErasureRecord): Readonly<Record<string, unknown>> {
  const { kind, key, value_hash, reason, entries, rows, quarantined, control, removed, still_named_by } = record;
  return { kind, key, value_hash, reason, entries, rows, quarantined, control, removed, still_named_by };
}

function reasonNames(): ApportionError {
  return new ApportionError('invalid_field', 'reason: it names what is to be erased.', {
    param: 'reason',
    hint: 'The reason stays in the record of the erasure. Name a ticket or a request instead.',
  });
}
