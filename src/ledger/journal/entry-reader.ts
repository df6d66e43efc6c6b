import { damaged } from './damage.ts';
import { parseNumbered } from './frame.ts';
import { FrameReader, ReusedChunks, type Chunks, type FramePosition, type NextFrame } from './frame-reader.ts';
import { retiredThrough } from './retired.ts';
import { listSegments, readHeader, sealedEnd, segmentPath, type SegmentHeader } from './segment.ts';
import { openSegmentFile, segmentExists, type SegmentFile } from './segment-file.ts';
import { readMark } from './synced-mark.ts';

export type JournalEntry = { readonly seq: number; readonly body: Buffer };

export type EntryRange = {
  /** Sequence number of the last entry already taken; 0 for none. */
  readonly after: number;
  /** The last durable entry, as the writer's process told it: what lies beyond may still be cut by a recovery. */
  readonly through: number;
  readonly maxEntries: number;
  /** At least one entry is handed out, however large. */
  readonly maxBytes: number;
};

/** Reads a journal that another process may be writing. Keeps its place, so that asking on from the last answer costs no search. */
export type EntryReader = {
  /** The next entries in order, without a gap; fewer or none when the rest is not there yet. Throws `journal_unavailable` on damage. */
  next(range: EntryRange): JournalEntry[];
  /** Entries up to here are gone because their retention was over; 0 for none. */
  retired(): number;
  close(): void;
};

export function openEntryReader(dir: string): EntryReader {
  return new SegmentedEntryReader(dir);
}

/** For those that read without end: entries are good until the next ones are asked for, whose bytes take the place of theirs. */
export function openPassingReader(dir: string): EntryReader {
  const chunks = new ReusedChunks();
  const reader = new SegmentedEntryReader(dir, chunks);
  return {
    next(range) {
      chunks.takeBack();
      return reader.next(range);
    },
    retired: () => reader.retired(),
    close: () => reader.close(),
  };
}

/**
 * All durable entries after `after`, for tools and tests: without it from the first that retention has left, without `through` as far as the
 * writer's own mark says.
 */
export function* readEntries(
  dir: string,
  range: { readonly after?: number; readonly through?: number } = {},
): Generator<JournalEntry> {
  let reader = openEntryReader(dir);
  let maxEntries = 1000;
  const through = range.through ?? readMark(dir)?.seq ?? Number.MAX_SAFE_INTEGER;
  let after = range.after ?? retiredThrough(dir);
  try {
    for (;;) {
      let entries: readonly JournalEntry[];
      try {
        entries = reader.next({ after, through, maxEntries, maxBytes: 4 * 1024 * 1024 });
      } catch (error) {
        if (maxEntries === 1) throw error;
        // What is whole before the damage is handed out too, one by one, so that it is known which entry cannot be read.
        maxEntries = 1;
        reader.close();
        reader = openEntryReader(dir);
        continue;
      }
      yield* entries;
      const last = entries.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  } finally {
    reader.close();
  }
}

/** A place between two frames of an open segment. `seq` is the last entry before it. */
type Place = {
  readonly file: SegmentFile;
  readonly segment: number;
  readonly header: SegmentHeader;
  readonly at: FramePosition;
  readonly seq: number;
};

class SegmentedEntryReader implements EntryReader {
  readonly #dir: string;
  readonly #chunks: Chunks | undefined;
  #place: Place | null = null;

  constructor(dir: string, chunks?: Chunks) {
    this.#dir = dir;
    this.#chunks = chunks;
  }

  retired(): number {
    return retiredThrough(this.#dir);
  }

  next(range: EntryRange): JournalEntry[] {
    if (this.#place !== null && this.#place.seq > range.after) this.close();
    this.#place ??= findPlace(this.#dir, range.after);
    const taken = new Taken(range);
    while (this.#place !== null && !taken.isFull(this.#place.seq)) {
      const read = readFrames(this.#place, taken, this.#chunks);
      this.#place = { ...this.#place, at: read.at, seq: read.seq };
      if (read.stop === 'full') break;
      const next = following(this.#dir, this.#place, read.stop);
      if (next === 'none') break;
      if (next === 'more') continue;
      this.#place.file.close();
      this.#place = next;
    }
    return taken.entries;
  }

  close(): void {
    this.#place?.file.close();
    this.#place = null;
  }
}

/** The answer being collected, and whether another entry still belongs into it. */
class Taken {
  readonly entries: JournalEntry[] = [];
  readonly #range: EntryRange;
  #bytes = 0;

  constructor(range: EntryRange) {
    this.#range = range;
  }

  isFull(lastSeq: number): boolean {
    return lastSeq >= this.#range.through || this.entries.length >= this.#range.maxEntries;
  }

  /** False when the entry does not fit any more. */
  offer(entry: JournalEntry): boolean {
    if (entry.seq <= this.#range.after) return true;
    if (this.entries.length > 0 && this.#bytes + entry.body.length > this.#range.maxBytes) return false;
    this.#bytes += entry.body.length;
    this.entries.push(entry);
    return true;
  }
}

type Stop = Exclude<NextFrame['is'], 'frame'>;

type ReadFrames = { readonly at: FramePosition; readonly seq: number; readonly stop: Stop | 'full' };

/** Nothing read ahead is kept from one call to the next: a recovery may cut what lies beyond `through`. */
function readFrames(place: Place, taken: Taken, chunks: Chunks | undefined): ReadFrames {
  const reader = new FrameReader(place.file, place.at, chunks);
  let { at, seq } = place;
  while (!taken.isFull(seq)) {
    const next = reader.next();
    if (next.is !== 'frame') return { at, seq, stop: next.is };
    if (next.frame.kind === 'entry') {
      const entry = parseNumbered(next.frame.payload);
      if (entry.seq !== seq + 1) throw damaged(place.file.path, `entry ${seq + 1} is missing`);
      if (!taken.offer(entry)) break;
      seq = entry.seq;
    }
    at = reader.position;
  }
  return { at, seq, stop: 'full' };
}

/** The newest segment that begins at or before the entry wanted; null when there is no journal yet. */
function findPlace(dir: string, after: number): Place | null {
  const segments = listSegments(dir);
  const [oldest] = segments;
  if (oldest === undefined) return null;
  let [low, high] = [0, segments.length];
  let found: Place | null = null;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { header, place } = openSegment(dir, segments[middle] ?? oldest);
    if (header.first_seq <= after + 1) {
      found?.file.close();
      found = place;
      low = middle + 1;
    } else {
      place.file.close();
      high = middle;
    }
  }
  if (found !== null) return found;
  throw damaged(segmentPath(dir, oldest), `entry ${after + 1} is older than the oldest file`);
}

function openSegment(dir: string, segment: number): { header: SegmentHeader; place: Place } {
  const file = openSegmentFile(dir, segment);
  const reader = new FrameReader(file, { offset: 0, crc: 0 });
  try {
    const header = readHeader(reader, file.path);
    return { header, place: { file, segment, header, at: reader.position, seq: header.first_seq - 1 } };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Where to go on when a segment gives no further frame: at the `next` segment, here with `more` (it grew before it was sealed), or
 * `none` yet. The next segment's header says how this one ended, so a sealed file that lost its tail is found out.
 */
function following(dir: string, place: Place, stop: Stop): Place | 'more' | 'none' {
  if (stop === 'broken')
    throw damaged(place.file.path, `the bytes at offset ${place.at.offset} are not what was written`);
  if (!segmentExists(dir, place.segment + 1)) return 'none';
  const { header, place: next } = openSegment(dir, place.segment + 1);
  const end = header.previous;
  const found = sealedEnd(place.header, { bytes: place.at.offset, crc: place.at.crc });
  if (end !== null && found?.bytes === end.bytes && found.crc === end.crc) return next;
  next.file.close();
  const grew = new FrameReader(place.file, place.at).next().is === 'frame';
  const endsAt = place.header.rewritten?.bytes ?? end?.bytes ?? 0;
  if (grew && place.at.offset < endsAt) return 'more';
  throw damaged(place.file.path, `the sealed file ends at offset ${place.at.offset}`);
}
