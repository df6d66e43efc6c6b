import type { TimestampMs } from '#std';
import {
  checkpointText,
  readCheckpoint,
  writeCheckpoint,
  writeCheckpointBeside,
  type Checkpoint,
} from './checkpoint.ts';

const EVERY_MS = 60_000;

export type Counted = Omit<Checkpoint, 'nodeId' | 'epoch'>;

type Saving = {
  readonly now: TimestampMs;
  /** The last entry on disk. */
  readonly synced: number;
  /** The counters as they are; null when there is nothing to save. */
  readonly counted: () => Counted | null;
};

/** Saves the counters now and then. What is saved is taken at one moment, and written once all that it counts is on disk. */
export class CheckpointKeeper {
  readonly #node: { readonly dir: string; readonly nodeId: string; readonly epoch: number };
  #takenAt = 0;
  #waiting: { readonly seq: number; readonly text: string } | null = null;
  #writing = false;

  constructor(node: { readonly dir: string; readonly nodeId: string; readonly epoch: number }) {
    this.#node = node;
  }

  get isWriting(): boolean {
    return this.#writing;
  }

  /** What was saved, unless it counts entries that did not survive. @param lastSeq of the journal */
  read(lastSeq: number): Checkpoint | null {
    const saved = readCheckpoint(this.#node.dir, this.#node);
    return saved === null || saved.seq > lastSeq ? null : saved;
  }

  /** To be told of every sync. */
  save({ now, synced, counted }: Saving, done: (error: Error | null) => void): void {
    if (this.#takenAt === 0) this.#takenAt = now;
    if (this.#writing) return;
    if (this.#waiting === null && now - this.#takenAt >= EVERY_MS) {
      this.#takenAt = now;
      const taken = counted();
      if (taken !== null) this.#waiting = { seq: taken.seq, text: this.#textOf(taken) };
    }
    if (this.#waiting === null || this.#waiting.seq > synced) return;
    const { text } = this.#waiting;
    this.#waiting = null;
    this.#writing = true;
    writeCheckpointBeside(this.#node.dir, text).then(
      () => this.#written(null, done),
      (error: unknown) => this.#written(error instanceof Error ? error : new Error(String(error)), done),
    );
  }

  #written(error: Error | null, done: (error: Error | null) => void): void {
    this.#writing = false;
    done(error);
  }

  /** All that is counted is on disk, and nothing else is being saved. */
  saveNow(counted: Counted | null): void {
    if (counted !== null) writeCheckpoint(this.#node.dir, this.#textOf(counted));
  }

  #textOf(counted: Counted): string {
    const { nodeId, epoch } = this.#node;
    return checkpointText({ nodeId, epoch, ...counted });
  }
}
