import { closeSync, existsSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ApportionError } from '#terms';
import type { TimestampMs } from '#std';
import { closeInDoubt } from '../entry.ts';
import { damaged } from './damage.ts';
import { createDurably, readRange, syncDirectory, writeAll } from './disk.ts';
import { FrameEncoder, parseEntry, parseIntent, parseVoid, type Frame } from './frame.ts';
import { FrameReader, type FramePosition } from './frame-reader.ts';
import { beginSegment, listSegments, readHeader, SEGMENT_FORMAT, segmentPath } from './segment.ts';
import { readMark } from './synced-mark.ts';

export type JournalIdentity = { readonly dir: string; readonly nodeId: string; readonly epoch: number };

/** What was found at open. */
export type Recovered = {
  /** Entries in the newest segment before recovery. */
  readonly entries: number;
  /** Attempts that were running when the process died; each has got an `in_doubt` entry. */
  readonly inDoubt: number;
  /** Bytes of a write that was cut short; kept in `torn-<n>.bin`. Nothing in them was ever acknowledged. */
  readonly tornBytes: number;
};

/** Where the writer goes on. Everything before is synced and no attempt is open. */
export type ResumePoint = {
  readonly fd: number;
  readonly segment: number;
  readonly position: FramePosition;
  readonly lastSeq: number;
  /** Under which the segment was begun. */
  readonly epoch: number;
  readonly recovered: Recovered;
};

/**
 * Brings the journal to a state where every attempt has its entry. Each step may be cut short and done again: the torn bytes are copied
 * before they are cut, and an in-doubt entry that was already written closes its attempt for the next run.
 */
export function recoverJournal(journal: JournalIdentity, now: TimestampMs): ResumePoint {
  removeUnfinished(journal.dir);
  const segment = listSegments(journal.dir).at(-1);
  const mark = readMark(journal.dir);
  if (mark !== null && mark.segment > (segment ?? 0)) {
    throw damaged(segmentPath(journal.dir, mark.segment), 'the file is missing');
  }
  if (segment === undefined) return startJournal(journal, now);
  const path = segmentPath(journal.dir, segment);
  // Only a segment that another one follows is compressed.
  if (!existsSync(path)) throw damaged(segmentPath(journal.dir, segment + 1), 'the file is missing');
  const fd = openSync(path, 'r+');
  try {
    return resume({ journal, fd, segment, syncedTo: mark?.segment === segment ? mark.offset : 0 }, now);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

type Newest = {
  readonly journal: JournalIdentity;
  readonly fd: number;
  readonly segment: number;
  readonly syncedTo: number;
};

function resume({ journal, fd, segment, syncedTo }: Newest, now: TimestampMs): ResumePoint {
  const path = segmentPath(journal.dir, segment);
  const replayed = replay(fd, path, journal);
  const end = replayed.position.offset;
  if (end < syncedTo) throw damaged(path, `synced bytes from offset ${end} on cannot be read`);
  const tornBytes = cutTornTail(journal.dir, fd, end);
  rewrite(fd, syncedTo, end);
  const encoder = new FrameEncoder(replayed.position.crc);
  let lastSeq = replayed.lastSeq;
  for (const [attempt, open] of replayed.open)
    encoder.entry(++lastSeq, attempt, closeInDoubt(open, now, 'gateway_crashed'));
  const crc = encoder.crc;
  const inDoubt = encoder.take();
  writeAll(fd, inDoubt, end);
  fdatasyncSync(fd);
  return {
    fd,
    segment,
    position: { offset: end + inDoubt.length, crc },
    lastSeq,
    epoch: replayed.epoch,
    recovered: { entries: replayed.entries, inDoubt: replayed.open.size, tornBytes },
  };
}

function startJournal(journal: JournalIdentity, now: TimestampMs): ResumePoint {
  const header = {
    format: SEGMENT_FORMAT,
    node_id: journal.nodeId,
    epoch: journal.epoch,
    segment: 1,
    first_seq: 1,
    created_at: new Date(now).toISOString(),
    previous: null,
    carried: 0,
  };
  const path = `${segmentPath(journal.dir, 1)}.tmp`;
  const file = { path, fd: openSync(path, 'w', 0o600) };
  const { fd, bytes, crc } = beginSegment({ dir: journal.dir, file }, header, new Map());
  syncDirectory(journal.dir);
  const recovered = { entries: 0, inDoubt: 0, tornBytes: 0 };
  return { fd, segment: 1, position: { offset: bytes, crc }, lastSeq: 0, epoch: journal.epoch, recovered };
}

/** A file under a temporary name was never part of the journal. */
function removeUnfinished(dir: string): void {
  for (const name of readdirSync(dir)) if (name.endsWith('.tmp')) rmSync(join(dir, name));
}

type Replayed = {
  readonly epoch: number;
  readonly position: FramePosition;
  readonly lastSeq: number;
  readonly entries: number;
  readonly open: ReadonlyMap<string, string>;
};

function replay(fd: number, path: string, journal: JournalIdentity): Replayed {
  const reader = new FrameReader(fd, { offset: 0, crc: 0 });
  const header = readHeader(reader, path);
  if (header.node_id !== journal.nodeId) throw foreign(path, header.node_id, journal.nodeId);
  if (header.epoch > journal.epoch) throw outdated(path, header.epoch, journal.epoch);
  const open = new Map<string, string>();
  let lastSeq = header.first_seq - 1;
  let frames = 0;
  for (let next = reader.next(); next.is === 'frame'; next = reader.next()) {
    frames += 1;
    lastSeq = apply(next.frame, open, lastSeq) ?? raise(damaged(path, `an entry is missing after number ${lastSeq}`));
  }
  if (frames < header.carried) throw damaged(path, 'the attempts carried over from the segment before cannot be read');
  return {
    epoch: header.epoch,
    position: reader.position,
    lastSeq,
    entries: lastSeq - header.first_seq + 1,
    open,
  };
}

/** Plays one frame into `open`; the last sequence number after it, null when the numbers have a gap. */
function apply(frame: Frame, open: Map<string, string>, lastSeq: number): number | null {
  if (frame.kind === 'header') return null;
  if (frame.kind === 'entry') {
    const { seq, attempt } = parseEntry(frame.payload);
    open.delete(attempt);
    return seq === lastSeq + 1 ? seq : null;
  }
  if (frame.kind === 'void') {
    open.delete(parseVoid(frame.payload));
  } else {
    const intent = parseIntent(frame.payload);
    open.set(intent.attempt, intent.open);
  }
  return lastSeq;
}

function raise(error: Error): never {
  throw error;
}

function foreign(path: string, found: string, expected: string): ApportionError {
  return new ApportionError(
    'journal_unavailable',
    `The journal file ${path} belongs to ${found}, not to ${expected}.`,
    {
      hint: 'Point the data directory to the files of this node.',
    },
  );
}

/** Whoever writes under a later epoch has taken the journal over: an earlier one must not go on with it. */
function outdated(path: string, found: number, own: number): ApportionError {
  return new ApportionError(
    'journal_unavailable',
    `The journal file ${path} is of epoch ${found}, the node of ${own}.`,
    {
      hint: 'The journal was taken over or restored under a later epoch: use the node.json that belongs to it.',
    },
  );
}

function cutTornTail(dir: string, fd: number, end: number): number {
  const size = fstatSync(fd).size;
  if (size === end) return 0;
  const torn = readRange(fd, end, size);
  createDurably(join(dir, `torn-${nextTorn(dir)}.bin`), (copy) => writeAll(copy, torn, 0));
  ftruncateSync(fd, end);
  return torn.length;
}

const TORN_NAME = /^torn-(\d+)\.bin$/;

function nextTorn(dir: string): number {
  return 1 + Math.max(0, ...readdirSync(dir).map((name) => Number(TORN_NAME.exec(name)?.[1] ?? 0)));
}

const REWRITE_BYTES = 1024 * 1024;

/**
 * Writes the bytes again that may never have reached the disk. After a failed sync Linux marks the pages clean: they read
 * back well and a second sync succeeds, yet they are only in memory.
 */
function rewrite(fd: number, from: number, to: number): void {
  for (let at = from; at < to; at += REWRITE_BYTES)
    writeAll(fd, readRange(fd, at, Math.min(to, at + REWRITE_BYTES)), at);
}
