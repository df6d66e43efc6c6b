import { Worker } from 'node:worker_threads';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseEntry, parseIntent } from '../journal/frame.ts';
import { FrameReader } from '../journal/frame-reader.ts';
import { listSegments, readHeader } from '../journal/segment.ts';
import { openSegmentFile } from '../journal/segment-file.ts';
import { listSealed } from '../journal/sealed-segment.ts';
import { bodyEraser, writtenValue } from './erase-body.ts';
import { eraseInSegment } from './erase-segment.ts';
import { isOf, readIdentity, type ErasureSubject } from './subject.ts';

export type JournalErasure = {
  /** Folders of segments: a node's own, and those of adopted nodes. */
  readonly journals: readonly string[];
  readonly subject: ErasureSubject;
  /** Calls that began up to then are erased, in milliseconds since 1970; later ones are new data. */
  readonly until: number;
};

export type JournalErased = {
  readonly entries: number;
  readonly segments: number;
  /** Ends of writes that were cut short, kept for whoever wants to look, and removed now. */
  readonly removed: number;
  /** What is of the subject and still in the file that is being written: calls that run, or that ended meanwhile. */
  readonly waiting: number;
};

/** Erases a subject from every sealed segment, and says what is left. Synchronous, and long: for a thread of its own. */
export function eraseJournals({ journals, subject, until }: JournalErasure): JournalErased {
  const erase = bodyEraser(subject);
  const done = { entries: 0, segments: 0, removed: 0, waiting: 0 };
  for (const dir of journals) {
    for (const segment of listSealed(dir)) {
      const { entries, intents } = eraseInSegment(dir, segment, erase);
      done.entries += entries;
      if (entries + intents > 0) done.segments += 1;
    }
    done.removed += removeTorn(dir, subject);
    done.waiting += countNewest(dir, { subject, until });
  }
  return done;
}

const TORN = /^torn-\d+\.bin$/;

function removeTorn(dir: string, subject: ErasureSubject): number {
  const written = writtenValue(subject);
  const found = readdirSync(dir).filter((name) => TORN.test(name) && readFileSync(join(dir, name)).includes(written));
  for (const name of found) rmSync(join(dir, name));
  return found.length;
}

function countNewest(dir: string, { subject, until }: Pick<JournalErasure, 'subject' | 'until'>): number {
  const newest = listSegments(dir).at(-1);
  if (newest === undefined) return 0;
  const written = writtenValue(subject);
  const file = openSegmentFile(dir, newest);
  try {
    const reader = new FrameReader(file, { offset: 0, crc: 0 });
    readHeader(reader, file.path);
    let count = 0;
    for (let next = reader.next(); next.is === 'frame'; next = reader.next()) {
      const { kind, payload } = next.frame;
      if ((kind !== 'entry' && kind !== 'intent') || !payload.includes(written)) continue;
      const text = kind === 'entry' ? parseEntry(payload).body.toString() : parseIntent(payload).open;
      if (isOfBefore(subject, text, until)) count += 1;
    }
    return count;
  } finally {
    file.close();
  }
}

const began = z.object({ effective_at: z.iso.datetime() });

function isOfBefore(subject: ErasureSubject, text: string, until: number): boolean {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return false;
  }
  const parsed = began.safeParse(json);
  return parsed.success && Date.parse(parsed.data.effective_at) <= until && isOf(subject, readIdentity(json));
}

/** Runs it in a thread. Rejects with what it threw. */
export function eraseJournalsInThread(erasure: JournalErasure): Promise<JournalErased> {
  const worker = new Worker(new URL('./erase-worker.ts', import.meta.url), { workerData: erasure, name: 'erasure' });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that erases was ended')));
  });
}
