import { Worker } from 'node:worker_threads';
import { ApportionError, LIMITS, type EntryId, type PicoUsd } from '#terms';
import { invariant, type Clock } from '#std';
import type { Consumption, Crossing, Lease, LeaseRow, Short, Standing } from '#budgets';
import { AttemptWindow } from './attempt-window.ts';
import { wishText, type LeaseQuestion, type Reservation, type Rules, type Wish } from './counters.ts';
import { TEXT_MAX_CHARS } from './frame.ts';
import type { Ask, Command, FromWorker, ToWorker, WorkerStart } from './messages.ts';
import type { Recovered } from './recovery.ts';
import { Waiters } from './waiters.ts';

export type JournalState = 'open' | 'failed' | 'closed';

/** `seq` is the last entry known to be on disk. */
export type Durable = { readonly nodeId: string; readonly seq: number };

/**
 * The ledger of record. `attempt` names one try of a call and is unique for ever.
 * Every method rejects with `journal_unavailable` once the disk has refused anything, or while too much is waiting.
 */
export type Journal = {
  readonly recovered: Recovered;
  /** Resolves when the intent survives `kill -9` (it is in the page cache, not yet synced). @param open JSON of the intent */
  begin(attempt: string, open: string): Promise<void>;
  /**
   * The same under the rules in force: all budgets and limits that the attempt falls in admit it together, in the step that writes its
   * intent, or it is refused and nothing is written; it may then be tried again, smaller, or once more is leased.
   */
  reserve(attempt: string, open: string, wish: Wish): Promise<Reservation | Short>;
  /**
   * Resolves when the entry is on disk. An attempt that never began may be settled too.
   * @param entry JSON of the entry @param cost as it says, to spare the counters reading it
   */
  settle(attempt: string, entry: string, cost?: PicoUsd | null): Promise<void>;
  /** A call has ended with all its attempts: it takes from rate limits what it took in truth; null gives everything back. */
  finish(callId: string, used: Consumption | null): void;
  /**
   * Puts rules in force in place of all others. Resolves when they are, with everything counted that was spent before; with a problem
   * when some of that could not be read. None of them may have a fault.
   */
  govern(rules: Rules): Promise<{ readonly problem: string | null }>;
  /** How every budget stands now. */
  standings(): Promise<readonly Standing[]>;
  /** What `reserve` would say of each of these now; nothing is held, taken or written. */
  peek(asks: readonly Ask[]): Promise<readonly Reservation[]>;
  /** What this node may spend of budgets it shares with others; whatever is reserved from now on counts with it. */
  lease(leases: readonly Lease[], reachable: boolean): void;
  leaseRows(question: LeaseQuestion): Promise<readonly LeaseRow[]>;
  /** Calls the listener when spending passes a threshold of a budget, until the returned function is called. */
  onCrossed(listener: (crossings: readonly Crossing[]) => void): () => void;
  /**
   * Resolves when an entry that is of no attempt of its own (a correction) is on disk. An id that is among the last entries is
   * a broken invariant, as with `settle`; older ones are not remembered. @param entry its JSON
   */
  append(entryId: EntryId, entry: string): Promise<void>;
  /** Takes an intent back: nothing was sent upstream, so there is nothing to account for. As durable as `begin`. */
  cancel(attempt: string): Promise<void>;
  state(): JournalState;
  durable(): Durable;
  /** Calls the listener after each sync that made entries durable, until the returned function is called. */
  onDurable(listener: (durable: Durable) => void): () => void;
  /** Everything accepted is synced, then the thread is joined. Attempts still running get their in-doubt entry at the next open. */
  close(): Promise<void>;
};

/** What maintenance asks of an open journal, beside what calls need. */
export type RotatableJournal = Journal & {
  /**
   * Seals the segment that is being written, unless nothing is in it. Resolves with the number of the newest sealed one (0 for none): whatever was
   * settled before the call is in it or in one before it, and no sealed one is ever written into again.
   */
  rotate(): Promise<number>;
};

export type JournalDeps = {
  /** The folder of the segments; it must exist and be locked by this process. */
  readonly dir: string;
  readonly nodeId: string;
  readonly clock: Clock;
  /** 1 until another node adopts the data directory. */
  readonly epoch?: number;
  readonly segmentBytes?: number;
  readonly queueEntries?: number;
  /** Whether other nodes spend the same budgets. */
  readonly shared?: boolean;
  /** Told of what went wrong without stopping the journal. */
  readonly warn?: (problem: string) => void;
};

/** Posted at once when this many characters are waiting, instead of at the end of the tick. */
const POST_CHARS = 1024 * 1024;

/** Of the thread: little of what it makes outlives a command, and V8 would fill four times the room with it before it looks. */
const YOUNG_MB = 24;

/** Recovers what is there, and resolves when the journal accepts calls. Rejects with `journal_unavailable`. */
export async function openJournal(deps: JournalDeps): Promise<RotatableJournal> {
  const workerData: WorkerStart = {
    dir: deps.dir,
    nodeId: deps.nodeId,
    epoch: deps.epoch ?? 1,
    segmentBytes: deps.segmentBytes ?? LIMITS.journalSegmentBytes,
    shared: deps.shared ?? false,
    now: deps.clock.now(),
  };
  const worker = new Worker(new URL('./journal-worker.ts', import.meta.url), {
    workerData,
    name: 'journal',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const first = await firstMessage(worker);
  if (first.is === 'ready') return new JournalClient(worker, deps, first);
  await worker.terminate();
  if (first.is === 'failed' && first.hint !== null) throw unavailable(first.message, first.hint);
  const why = first.is === 'failed' ? first.message : 'its thread did not start';
  throw unavailable(`The journal cannot be opened: ${why}.`, 'See to the data directory, then start Apportion again.');
}

function firstMessage(worker: Worker): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

class JournalClient implements RotatableJournal {
  readonly recovered: Recovered;
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;
  readonly #clock: Clock;
  readonly #nodeId: string;
  readonly #queueEntries: number;
  readonly #warn: (problem: string) => void;
  readonly #attempts = new AttemptWindow();
  /** Callers of `begin` and `cancel`, and callers of `settle`. */
  readonly #writing = new Waiters();
  readonly #settling = new Waiters();
  /** Answered one after the other, in the order they came. */
  readonly #rotating: PromiseWithResolvers<number>[] = [];
  readonly #governing: PromiseWithResolvers<{ readonly problem: string | null }>[] = [];
  readonly #standings: PromiseWithResolvers<readonly Standing[]>[] = [];
  readonly #leaseRows: PromiseWithResolvers<readonly LeaseRow[]>[] = [];
  readonly #peeking: PromiseWithResolvers<readonly Reservation[]>[] = [];
  /** Of reservations, until their callers take them. */
  readonly #answers = new Map<string, Reservation | Short>();
  readonly #listeners = new Set<(durable: Durable) => void>();
  readonly #crossedListeners = new Set<(crossings: readonly Crossing[]) => void>();
  #commands: string[] = [];
  #chars = 0;
  #posting = false;
  #durableSeq: number;
  #state: JournalState = 'open';
  #failure: ApportionError | null = null;

  constructor(worker: Worker, deps: JournalDeps, ready: FromWorker & { is: 'ready' }) {
    this.#worker = worker;
    this.#clock = deps.clock;
    this.#nodeId = deps.nodeId;
    this.#queueEntries = deps.queueEntries ?? LIMITS.journalQueueEntries;
    this.#warn = deps.warn ?? (() => undefined);
    this.#durableSeq = ready.seq;
    this.recovered = { entries: ready.entries, inDoubt: ready.inDoubt, tornBytes: ready.tornBytes };
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#fail(refused(error)));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', resolve);
    });
    worker.on('exit', () => this.#fail(refused('its thread stopped')));
  }

  async begin(attempt: string, open: string): Promise<void> {
    this.#admit(this.#writing, open);
    this.#attempts.begin(attempt);
    this.#send({ is: 'begin', attempt, text: open, about: '' });
    return this.#writing.add();
  }

  async reserve(attempt: string, open: string, wish: Wish): Promise<Reservation | Short> {
    this.#admit(this.#writing, open);
    this.#attempts.begin(attempt);
    this.#send({ is: 'reserve', attempt, text: open, about: wishText(wish) });
    await this.#writing.add();
    const reservation = this.#answers.get(attempt);
    if (reservation === undefined) return ADMITTED;
    this.#answers.delete(attempt);
    if (reservation.kind !== 'admitted') this.#attempts.withdraw(attempt);
    return reservation;
  }

  async settle(attempt: string, entry: string, cost?: PicoUsd | null): Promise<void> {
    this.#admit(this.#settling, entry);
    this.#attempts.end(attempt);
    this.#send({ is: 'settle', attempt, text: entry, about: cost === undefined ? '' : String(cost) });
    return this.#settling.add();
  }

  finish(callId: string, used: Consumption | null): void {
    if (this.#state !== 'open') return;
    this.#send({ is: 'finish', attempt: callId, text: '', about: wishText({ expected: null, takes: used }) });
  }

  async govern(rules: Rules): Promise<{ readonly problem: string | null }> {
    return this.#ask(this.#governing, { is: 'govern', at: this.#clock.now(), rules });
  }

  async standings(): Promise<readonly Standing[]> {
    return this.#ask(this.#standings, { is: 'standings', at: this.#clock.now() });
  }

  async peek(asks: readonly Ask[]): Promise<readonly Reservation[]> {
    return this.#ask(this.#peeking, { is: 'peek', asks });
  }

  lease(leases: readonly Lease[], reachable: boolean): void {
    if (this.#state === 'open') this.#tell({ is: 'lease', leases, reachable });
  }

  async leaseRows(question: LeaseQuestion): Promise<readonly LeaseRow[]> {
    return this.#ask(this.#leaseRows, { is: 'leaseRows', at: this.#clock.now(), question });
  }

  onCrossed(listener: (crossings: readonly Crossing[]) => void): () => void {
    this.#crossedListeners.add(listener);
    return () => this.#crossedListeners.delete(listener);
  }

  /** Behind everything that was sent before. */
  #ask<T>(waiting: PromiseWithResolvers<T>[], message: ToWorker): Promise<T> {
    this.#admit(this.#writing, '');
    this.#post();
    const asked = Promise.withResolvers<T>();
    waiting.push(asked);
    this.#tell(message);
    return asked.promise;
  }

  append(entryId: EntryId, entry: string): Promise<void> {
    return this.settle(entryId, entry);
  }

  async cancel(attempt: string): Promise<void> {
    this.#admit(this.#writing, '');
    this.#attempts.end(attempt);
    this.#send({ is: 'cancel', attempt, text: '', about: '' });
    return this.#writing.add();
  }

  async rotate(): Promise<number> {
    return this.#ask(this.#rotating, { is: 'rotate', at: this.#clock.now() });
  }

  state(): JournalState {
    return this.#state;
  }

  durable(): Durable {
    return { nodeId: this.#nodeId, seq: this.#durableSeq };
  }

  onDurable(listener: (durable: Durable) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closed';
      this.#post();
      this.#tell({ is: 'close' });
    }
    await this.#exited;
    if (this.#failure === null) return;
    this.#state = 'closed';
  }

  #admit(waiters: Waiters, text: string): void {
    invariant(
      text.length <= TEXT_MAX_CHARS,
      `a journal entry has at most ${TEXT_MAX_CHARS} characters, not ${text.length}`,
    );
    if (this.#failure !== null) throw this.#failure;
    if (this.#state === 'closed')
      throw unavailable('The ledger is closed.', 'Call again once the gateway has restarted.');
    if (waiters.size < this.#queueEntries) return;
    throw unavailable(`${this.#queueEntries} entries wait for the disk.`, 'Call again in a moment.');
  }

  #send({ is, attempt, text, about }: Command): void {
    this.#commands.push(is, attempt, text, about);
    this.#chars += text.length;
    if (this.#chars >= POST_CHARS) return this.#post();
    if (this.#posting) return;
    this.#posting = true;
    setImmediate(() => {
      this.#posting = false;
      this.#post();
    });
  }

  #post(): void {
    if (this.#commands.length === 0) return;
    const commands = this.#commands;
    this.#commands = [];
    this.#chars = 0;
    this.#tell({ is: 'batch', at: this.#clock.now(), commands });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.is) {
      case 'ack':
        // Before their callers go on: they look for them then.
        for (const { attempt, reservation } of message.answers) this.#answers.set(attempt, reservation);
        this.#writing.releaseUpTo(message.written);
        this.#settling.releaseUpTo(message.settled);
        return this.#setDurable(message.seq);
      case 'rotated':
        return this.#rotating.shift()?.resolve(message.sealed);
      case 'governed':
        return this.#governing.shift()?.resolve({ problem: message.problem });
      case 'standings':
        return this.#standings.shift()?.resolve(message.standings);
      case 'leaseRows':
        return this.#leaseRows.shift()?.resolve(message.rows);
      case 'peeked':
        return this.#peeking.shift()?.resolve(message.reservations);
      case 'crossed':
        for (const listener of this.#crossedListeners) listener(message.crossings);
        return;
      case 'failed':
        return this.#fail(refused(message.message));
      case 'unsaved':
        return this.#warn(`the counters of budgets could not be saved: ${message.message}`);
      case 'ready':
      case 'closed':
        return;
    }
  }

  #setDurable(seq: number): void {
    if (seq === this.#durableSeq) return;
    this.#durableSeq = seq;
    for (const listener of this.#listeners) listener({ nodeId: this.#nodeId, seq });
  }

  /** The first reason is the true one; what follows is its consequence. */
  #fail(error: ApportionError): void {
    if (this.#failure !== null) return;
    const finished = this.#state === 'closed' && this.#writing.size === 0 && this.#settling.size === 0;
    if (finished) return;
    this.#failure = error;
    this.#state = 'failed';
    this.#commands = [];
    this.#writing.rejectAll(error);
    this.#settling.rejectAll(error);
    for (const waiting of [this.#rotating, this.#governing, this.#standings, this.#leaseRows, this.#peeking])
      for (const asked of waiting.splice(0)) asked.reject(error);
  }
}

const ADMITTED: Reservation = { kind: 'admitted', over: [], limits: [] };

/** What the disk said is for the operator, not for callers: it names paths. */
function refused(cause: unknown): ApportionError {
  return new ApportionError('journal_unavailable', 'The ledger cannot be written, so no call is accepted.', {
    hint: 'The operator finds the reason in the log; it needs a restart once the disk is well.',
    cause,
  });
}

function unavailable(message: string, hint: string): ApportionError {
  return new ApportionError('journal_unavailable', message, { hint });
}
