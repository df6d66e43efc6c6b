import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { ApportionError, picoUsd, type PicoUsd } from '#terms';
import { invariant, type TimestampMs } from '#std';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointKeeper } from './checkpoint-keeper.ts';
import { Counters, parseWish, type Rules } from './counters.ts';
import {
  commandAt,
  STRINGS_PER_COMMAND,
  type Answered,
  type Command,
  type FromWorker,
  type ToWorker,
  type WorkerStart,
} from './messages.ts';
import { recoverJournal } from './recovery.ts';
import { SegmentWriter } from './segment-writer.ts';

/** Commands are gathered into one write until there are none left or this many bytes. */
const GROUP_BYTES = 4 * 1024 * 1024;

/** Beyond this many written but unsynced bytes the next write waits for the sync. */
const UNSYNCED_BYTES = 16 * 1024 * 1024;

/**
 * The journal's thread. Writes go on while a sync runs in the thread pool, so that an intent never waits for the disk (measured in
 * docs/decisions/0001-journal-segments.md). There is one sync at a time, and everything written meanwhile shares the next one.
 * Any error ends it for good: a second fsync after a failed one succeeds without the data being on disk.
 */
class JournalWorker {
  readonly #port: MessagePort;
  readonly #writer: SegmentWriter;
  readonly #counters: Counters;
  readonly #checkpoints: CheckpointKeeper;
  readonly #backlog: ToWorker[] = [];
  #now: TimestampMs;
  #state: 'running' | 'closing' | 'ended' = 'running';
  #syncing = false;
  #rotateAsked = false;
  #written = 0;
  #settled = 0;
  #acked = { written: 0, settled: 0, seq: 0 };
  /** Of reservations that are taken, to be told once the admitted ones are written. */
  #answers: Answered[] = [];
  /** How many `govern` wait for their rules to be in force. */
  #governs = 0;
  #catchingUp = false;

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    this.#now = start.now;
    const resume = recoverJournal(start, start.now);
    this.#writer = new SegmentWriter(start, resume, start.segmentBytes);
    if (resume.epoch !== start.epoch) {
      this.#writer.rotate(start.now);
      this.#writer.sync();
    }
    this.#checkpoints = new CheckpointKeeper(start);
    const saved = this.#checkpoints.read(resume.lastSeq);
    this.#counters = new Counters(
      {
        dir: start.dir,
        running: () => this.#writer.running,
        written: () => this.#writer.seq,
        shared: start.shared,
        crossed: (crossings) => this.#post({ is: 'crossed', crossings }),
      },
      saved,
    );
    this.#acked.seq = resume.lastSeq;
    this.#post({ is: 'ready', seq: resume.lastSeq, ...resume.recovered });
  }

  receive(message: ToWorker): void {
    this.#backlog.push(message);
    this.#guard(() => this.#pump());
  }

  #guard(work: () => void): void {
    if (this.#state === 'ended') return;
    try {
      work();
    } catch (error) {
      this.#state = 'ended';
      this.#post(failure(error));
      this.#port.close();
    }
  }

  #pump(): void {
    this.#writeAll();
    while (this.#rotateAsked && !this.#syncing) {
      this.#rotateWhenDue();
      this.#writeAll();
    }
    if (this.#state === 'closing' && !this.#syncing && !this.#checkpoints.isWriting) this.#close();
  }

  /** Writes what waits, as far as a sync or a rotation does not have to come first. */
  #writeAll(): void {
    while (!this.#mustWait() && this.#gather()) {
      this.#writer.write();
      this.#ack({ ...this.#acked, written: this.#written });
      if (!this.#syncing) this.#rotateWhenDue();
      this.#startSync();
    }
  }

  #mustWait(): boolean {
    return this.#syncing && (this.#writer.isFull || this.#rotateAsked || this.#writer.unsyncedBytes >= UNSYNCED_BYTES);
  }

  /** Adds waiting commands to the writer; false when there were none. */
  #gather(): boolean {
    const before = this.#written + this.#settled;
    while (this.#state === 'running' && !this.#rotateAsked && this.#writer.pendingBytes < GROUP_BYTES) {
      const message = this.#backlog.shift() ?? receiveMessageOnPort(this.#port)?.message;
      if (message === undefined) break;
      this.#take(message);
    }
    // What was refused is answered too, though there is nothing to write.
    return this.#written + this.#settled > before;
  }

  #take(message: ToWorker): void {
    switch (message.is) {
      case 'close':
        this.#state = 'closing';
        return;
      case 'rotate':
        this.#now = message.at;
        this.#rotateAsked = true;
        return;
      case 'govern':
        this.#now = message.at;
        this.#govern(message.rules);
        return;
      case 'standings':
        this.#post({ is: 'standings', standings: this.#counters.standings(message.at) });
        return;
      case 'peek':
        this.#post({
          is: 'peeked',
          reservations: message.asks.map(({ intent, wish }) => this.#counters.peek(intent, wish)),
        });
        return;
      case 'lease':
        this.#counters.lease(message.leases, message.reachable);
        return;
      case 'leaseRows':
        this.#post({ is: 'leaseRows', rows: this.#counters.leaseRows(message.question, message.at) });
        return;
      case 'batch':
        this.#now = message.at;
        this.#counters.tick(message.at);
        for (let at = 0; at < message.commands.length; at += STRINGS_PER_COMMAND)
          this.#obey(commandAt(message.commands, at));
    }
  }

  /** What is written and what is counted change together: nothing can come between them. */
  #obey({ is, attempt, text, about }: Command): void {
    switch (is) {
      case 'begin':
        this.#written += 1;
        this.#counters.begin(text);
        this.#writer.begin(attempt, text);
        return;
      case 'reserve':
        this.#written += 1;
        if (this.#reserve(attempt, text, about)) this.#writer.begin(attempt, text);
        return;
      case 'settle':
        this.#settled += 1;
        this.#counters.settle(attempt, text, { cost: parseCost(about), now: this.#now });
        this.#writer.settle(attempt, text);
        return;
      case 'cancel':
        this.#written += 1;
        this.#counters.cancel(attempt);
        this.#writer.cancel(attempt);
        return;
      case 'finish':
        this.#counters.finish(attempt, parseWish(about).takes, this.#now);
    }
  }

  /** Whether the attempt may begin. */
  #reserve(attempt: string, intent: string, about: string): boolean {
    const reservation = this.#counters.reserve(intent, parseWish(about));
    if (reservation === undefined) return true;
    const admitted = reservation.kind === 'admitted';
    if (!admitted || reservation.over.length > 0 || reservation.limits.length > 0)
      this.#answers.push({ attempt, reservation });
    return admitted;
  }

  #govern(rules: Rules): void {
    this.#governs += 1;
    this.#counters.govern(rules, this.#now);
    if (this.#counters.isCatchingUp) this.#catchUpSoon();
    else this.#governed(null);
  }

  #governed(problem: string | null): void {
    for (; this.#governs > 0; this.#governs -= 1) this.#post({ is: 'governed', problem });
  }

  #catchUpSoon(): void {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    setImmediate(() => {
      this.#catchingUp = false;
      this.#guard(() => this.#catchUp());
    });
  }

  /** A step at a time, between which calls are served. The last one finds everything written and nothing on its way. */
  #catchUp(): void {
    this.#pump();
    if (this.#state !== 'running') return;
    let problem: string | null = null;
    try {
      if (this.#writer.pendingBytes === 0) this.#counters.catchUp(this.#now);
    } catch (error) {
      // An old file that cannot be read is no reason to stop the journal, nor to admit without limit.
      problem = error instanceof Error ? error.message : String(error);
      this.#counters.giveUp(this.#now);
    }
    if (this.#counters.isCatchingUp) this.#catchUpSoon();
    else this.#governed(problem);
  }

  #startSync(): void {
    const due = this.#writer.hasUnsyncedEntries || this.#writer.unsyncedBytes >= UNSYNCED_BYTES;
    if (this.#syncing || !due) return;
    this.#syncing = true;
    const point = this.#writer.syncPoint();
    const settled = this.#settled;
    this.#writer.syncInBackground(point, (error) => {
      this.#syncing = false;
      this.#guard(() => {
        if (error !== null) throw error;
        this.#writer.synced(point);
        this.#ack({ written: this.#written, settled, seq: point.seq });
        this.#saveCounters(point.seq);
        this.#rotateWhenDue();
        this.#startSync();
        this.#pump();
      });
    });
  }

  #saveCounters(synced: number): void {
    const { seq } = this.#writer;
    this.#checkpoints.save({ now: this.#now, synced, counted: () => this.#checkpointAt(seq) }, (error) => {
      // Without it the journal is read from the one before: nothing is lost but time.
      if (error !== null) this.#post({ is: 'unsaved', message: error.message });
      this.#guard(() => this.#pump());
    });
  }

  #checkpointAt(seq: number): Omit<Checkpoint, 'nodeId' | 'epoch'> | null {
    const rows = this.#counters.rows();
    return rows === null ? null : { seq, ...rows };
  }

  /** Not while a sync runs: it would be told of another segment than it was asked for. */
  #rotateWhenDue(): void {
    if (this.#writer.isFull || (this.#rotateAsked && !this.#writer.isFresh)) {
      this.#syncNow();
      this.#writer.rotate(this.#now);
    }
    if (!this.#rotateAsked) return;
    this.#rotateAsked = false;
    // Whoever asked may work on what is sealed now: the mark must not point there any more.
    this.#syncNow();
    this.#post({ is: 'rotated', sealed: this.#writer.sealed });
  }

  #syncNow(): void {
    this.#writer.sync();
    this.#ack({ written: this.#written, settled: this.#settled, seq: this.#writer.seq });
  }

  #close(): void {
    this.#state = 'ended';
    this.#syncNow();
    this.#checkpoints.saveNow(this.#checkpointAt(this.#writer.seq));
    this.#writer.close();
    this.#post({ is: 'closed' });
    this.#port.close();
  }

  #ack(done: { written: number; settled: number; seq: number }): void {
    if (done.written === this.#acked.written && done.settled === this.#acked.settled) return;
    this.#acked = done;
    const answers = this.#answers;
    this.#answers = [];
    this.#post({ is: 'ack', ...done, answers });
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}

/** Of a settlement: undefined where only the entry says it. */
function parseCost(about: string): PicoUsd | null | undefined {
  if (about === '') return undefined;
  return about === 'null' ? null : picoUsd(BigInt(about));
}

function failure(error: unknown): FromWorker {
  const message = error instanceof Error ? error.message : String(error);
  return { is: 'failed', message, hint: error instanceof ApportionError ? error.hint : null };
}

invariant(parentPort !== null, 'journal-worker runs as a worker thread');
const port = parentPort;
try {
  const worker = new JournalWorker(port, workerData);
  port.on('message', (message: ToWorker) => worker.receive(message));
} catch (error) {
  port.postMessage(failure(error));
}
