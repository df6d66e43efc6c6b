import { closeSync, fdatasync, fdatasyncSync, fsync, fsyncSync, openSync } from 'node:fs';
import type { TimestampMs } from '#std';
import { writeAll } from './disk.ts';
import { FrameEncoder } from './frame.ts';
import type { JournalIdentity, ResumePoint } from './recovery.ts';
import { NextFile } from './next-file.ts';
import { beginSegment, SEGMENT_FORMAT } from './segment.ts';
import { MarkFile } from './synced-mark.ts';

/** A point in the journal up to which a sync has been asked for. */
export type SyncPoint = { readonly fd: number; readonly offset: number; readonly seq: number };

/** From this part of its size on a segment has the file of the next one made. */
const PREPARE_AT = 0.75;

/** The journal's only writer: appends to the newest segment and starts the next one. Every method throws when the disk refuses. */
export class SegmentWriter {
  readonly #journal: JournalIdentity;
  readonly #segmentBytes: number;
  readonly #encoder: FrameEncoder;
  readonly #mark: MarkFile;
  readonly #open = new Map<string, string>();
  readonly #next: NextFile;
  readonly #dirFd: number;
  /** Whether the name of the segment may not be on disk yet; nothing in it counts as synced before. */
  #unnamed = false;
  #fd: number;
  #segment: number;
  /** Bytes the segment began with: header and carried intents do not count towards its size. */
  #firstOffset = 0;
  #offset: number;
  #syncedOffset: number;
  #seq: number;
  #syncedSeq: number;

  constructor(journal: JournalIdentity, start: ResumePoint, segmentBytes: number) {
    this.#journal = journal;
    this.#segmentBytes = segmentBytes;
    this.#fd = start.fd;
    this.#segment = start.segment;
    this.#offset = this.#syncedOffset = start.position.offset;
    this.#seq = this.#syncedSeq = start.lastSeq;
    this.#encoder = new FrameEncoder(start.position.crc);
    this.#mark = new MarkFile(journal.dir);
    this.#next = new NextFile(journal.dir);
    this.#dirFd = openSync(journal.dir, 'r');
    this.#writeMark();
  }

  /** Sequence number of the last entry added. */
  get seq(): number {
    return this.#seq;
  }

  /** Bytes added but not yet written. */
  get pendingBytes(): number {
    return this.#encoder.length;
  }

  get unsyncedBytes(): number {
    return this.#offset - this.#syncedOffset;
  }

  get hasUnsyncedEntries(): boolean {
    return this.#seq > this.#syncedSeq;
  }

  get isFull(): boolean {
    return this.#offset - this.#firstOffset >= this.#segmentBytes;
  }

  /** True when nothing was written since the segment was begun, by this process. */
  get isFresh(): boolean {
    return this.#offset === this.#firstOffset;
  }

  /** Number of the newest sealed segment; 0 for none. */
  get sealed(): number {
    return this.#segment - 1;
  }

  /** Texts of the intents that have no entry, by attempt. */
  get running(): ReadonlyMap<string, string> {
    return this.#open;
  }

  begin(attempt: string, intent: string): void {
    this.#open.set(attempt, intent);
    this.#encoder.intent(attempt, intent);
  }

  settle(attempt: string, entry: string): void {
    this.#open.delete(attempt);
    this.#seq += 1;
    this.#encoder.entry(this.#seq, attempt, entry);
  }

  cancel(attempt: string): void {
    this.#open.delete(attempt);
    this.#encoder.void(attempt);
  }

  /** Hands everything added to the kernel in one write. */
  write(): void {
    const bytes = this.#encoder.take();
    writeAll(this.#fd, bytes, this.#offset);
    this.#offset += bytes.length;
    if (this.#offset - this.#firstOffset >= this.#segmentBytes * PREPARE_AT) this.#next.prepare(this.#segment + 1);
  }

  syncPoint(): SyncPoint {
    return { fd: this.#fd, offset: this.#offset, seq: this.#seq };
  }

  /** Syncs up to the point beside the writes that follow; `done` then tells `synced`. One at a time, and no rotation meanwhile. */
  syncInBackground({ fd }: SyncPoint, done: (error: Error | null) => void): void {
    fdatasync(fd, (error) => {
      if (error !== null || !this.#unnamed) done(error);
      else fsync(this.#dirFd, done);
    });
  }

  /** To be told once a sync up to the point succeeded. */
  synced(point: SyncPoint): void {
    this.#unnamed = false;
    this.#syncedOffset = point.offset;
    this.#syncedSeq = point.seq;
    this.#writeMark();
  }

  sync(): void {
    const point = this.syncPoint();
    fdatasyncSync(point.fd);
    if (this.#unnamed) fsyncSync(this.#dirFd);
    this.synced(point);
  }

  /**
   * Seals the segment, which must be synced, and starts the next one with the attempts that are still running. The mark stays where it is until
   * the new segment's name is on disk: after a power cut it must not point to a file that is not there.
   */
  rotate(now: TimestampMs): void {
    const header = {
      format: SEGMENT_FORMAT,
      node_id: this.#journal.nodeId,
      epoch: this.#journal.epoch,
      segment: this.#segment + 1,
      first_seq: this.#seq + 1,
      created_at: new Date(now).toISOString(),
      previous: { bytes: this.#offset, crc: this.#encoder.crc },
      carried: this.#open.size,
    };
    const { dir } = this.#journal;
    const begun = beginSegment({ dir, file: this.#next.take(header.segment) }, header, this.#open);
    closeSync(this.#fd);
    this.#fd = begun.fd;
    this.#segment = header.segment;
    this.#unnamed = true;
    this.#firstOffset = this.#offset = this.#syncedOffset = begun.bytes;
    this.#encoder.restart(begun.crc);
  }

  close(): void {
    closeSync(this.#fd);
    closeSync(this.#dirFd);
    this.#next.close();
    this.#mark.close();
  }

  #writeMark(): void {
    this.#mark.write({ segment: this.#segment, offset: this.#syncedOffset, seq: this.#syncedSeq });
  }
}
