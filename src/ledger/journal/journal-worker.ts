import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { ApportionError } from '#terms';
import { invariant, type TimestampMs } from '#std';
import { commandAt, STRINGS_PER_COMMAND, type FromWorker, type ToWorker, type WorkerStart } from './messages.ts';
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
  readonly #backlog: ToWorker[] = [];
  #now: TimestampMs;
  #state: 'running' | 'closing' | 'ended' = 'running';
  #syncing = false;
  #rotateAsked = false;
  #written = 0;
  #settled = 0;
  #acked = { written: 0, settled: 0, seq: 0 };

  constructor(port: MessagePort, start: WorkerStart) {
    this.#port = port;
    this.#now = start.now;
    const resume = recoverJournal(start, start.now);
    this.#writer = new SegmentWriter(start, resume, start.segmentBytes);
    if (resume.epoch !== start.epoch) {
      this.#writer.rotate(start.now);
      this.#writer.sync();
    }
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
    if (this.#state === 'closing' && !this.#syncing) this.#close();
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
    while (this.#state === 'running' && !this.#rotateAsked && this.#writer.pendingBytes < GROUP_BYTES) {
      const message = this.#backlog.shift() ?? receiveMessageOnPort(this.#port)?.message;
      if (message === undefined) break;
      this.#take(message);
    }
    return this.#writer.pendingBytes > 0;
  }

  #take(message: ToWorker): void {
    if (message.is === 'close') {
      this.#state = 'closing';
      return;
    }
    this.#now = message.at;
    if (message.is === 'rotate') {
      this.#rotateAsked = true;
      return;
    }
    for (let at = 0; at < message.commands.length; at += STRINGS_PER_COMMAND) {
      const command = commandAt(message.commands, at);
      this.#writer.add(command);
      if (command.is === 'settle') this.#settled += 1;
      else this.#written += 1;
    }
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
        this.#rotateWhenDue();
        this.#startSync();
        this.#pump();
      });
    });
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
    this.#writer.close();
    this.#post({ is: 'closed' });
    this.#port.close();
  }

  #ack(done: { written: number; settled: number; seq: number }): void {
    if (done.written === this.#acked.written && done.settled === this.#acked.settled) return;
    this.#acked = done;
    this.#post({ is: 'ack', ...done });
  }

  #post(message: FromWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    this.#port.postMessage(message);
  }
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
