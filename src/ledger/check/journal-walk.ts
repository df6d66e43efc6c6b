import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ApportionError } from '#terms';
import { parseEntry, parseIntent, parseVoid, type Frame } from '../journal/frame.ts';
import { FrameReader, type FramePosition } from '../journal/frame-reader.ts';
import { readRetired, type RetiredSegment } from '../journal/retired.ts';
import { readHeader, sealedEnd, type SegmentEnd, type SegmentHeader } from '../journal/segment.ts';
import { openSegmentFile, type SegmentFile } from '../journal/segment-file.ts';
import { readMark, type SyncedMark } from '../journal/synced-mark.ts';
import type { Findings, Place } from './finding.ts';
import { RunningAttempts } from './running-attempts.ts';
import { framesFrom, positionBehind, type FramesEnd } from './segment-frames.ts';
import { listJournal, segmentFile, type JournalFolder } from './segment-list.ts';

/** An entry and where it lies. `body` is valid until the next one is asked for. */
export type PlacedEntry = {
  readonly seq: number;
  readonly attempt: string;
  readonly body: Buffer;
  readonly place: Place;
};

export type JournalFigures = {
  readonly files: number;
  readonly bytes: number;
  readonly frames: number;
  readonly entries: number;
  /** Entries up to here went with files whose retention was over. */
  readonly retiredSeq: number;
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** How far the journal is known to be on disk; null when there is no mark. */
  readonly synced: SyncedMark | null;
  /** Intents without an end: the text of each, by attempt. */
  readonly open: ReadonlyMap<string, string>;
};

export type JournalWalkDeps = {
  /** The folder of the segments. */
  readonly dir: string;
  /** Whose journal it is; null when that is not known. */
  readonly nodeId: string | null;
  readonly findings: Findings;
  /** `running`: another process writes on, so it is read up to the mark as it is now. */
  readonly writer: 'running' | 'stopped';
};

/** Reads a journal from its first byte to its last, damaged or not, and says what is wrong with its frames. Changes nothing. */
export class JournalWalk {
  readonly #deps: JournalWalkDeps;
  readonly #folder: JournalFolder;
  readonly #mark: SyncedMark | null;
  readonly #retired: RetiredSegment | null;
  readonly #running: RunningAttempts;
  #bytes = 0;
  #frames = 0;
  #entries = 0;
  #firstSeq: number | null = null;
  #lastSeq: number | null = null;
  #seqAtMark: number | null = null;
  /** How the segment before ended; null when it could not be read to its end. */
  #previous: (SegmentEnd & { readonly epoch: number }) | null = null;

  constructor(deps: JournalWalkDeps) {
    this.#deps = deps;
    this.#mark = readMark(deps.dir);
    this.#retired = lastRetired(deps.dir, deps.findings);
    this.#folder = listJournal(deps.dir, {
      findings: deps.findings,
      retired: this.#retired?.segment ?? 0,
      writer: deps.writer,
    });
    this.#running = new RunningAttempts(deps.findings);
    if (this.#retired === null) return;
    const { last_seq: lastSeq, plain_bytes: bytes, plain_crc: crc } = this.#retired;
    this.#lastSeq = lastSeq;
    this.#previous = { bytes, crc, epoch: 0 };
    // Which attempts ran then is gone with the file.
    this.#running.damaged();
  }

  figures(): JournalFigures {
    return {
      files: this.#folder.segments.length,
      bytes: this.#bytes,
      frames: this.#frames,
      entries: this.#entries,
      retiredSeq: this.#retired?.last_seq ?? 0,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      synced: this.#mark,
      open: this.#running.open,
    };
  }

  /** All entries in order. Those of damaged frames are missing, and said to be. */
  *entries(): Generator<PlacedEntry> {
    const last = this.#folder.segments.at(-1);
    for (const segment of this.#folder.segments) {
      if (this.#deps.writer === 'running' && this.#mark !== null && segment > this.#mark.segment) break;
      yield* this.#readSegment(segment, segment === last);
    }
    this.#compareMark();
  }

  *#readSegment(segment: number, isNewest: boolean): Generator<PlacedEntry> {
    const file = this.#openFile(segment);
    if (file === null) return;
    try {
      const opened = this.#openSegment(file, segment);
      if (opened === null) return;
      const end = yield* this.#readFrames(file, segment, opened.at);
      this.#bytes += end.at.offset;
      this.#closeSegment(file, segment, { end, isNewest, header: opened.header });
    } finally {
      file.close();
    }
  }

  #openFile(segment: number): SegmentFile | null {
    try {
      return openSegmentFile(this.#deps.dir, segment);
    } catch (error) {
      if (!(error instanceof ApportionError)) throw error;
      this.#deps.findings.fault('journal.chain', error.message, { file: segmentFile(segment) });
      this.#previous = null;
      this.#running.damaged();
      return null;
    }
  }

  #openSegment(file: SegmentFile, segment: number): { header: SegmentHeader; at: FramePosition } | null {
    const { findings, nodeId } = this.#deps;
    const place = { file: segmentFile(segment), offset: 0 };
    const reader = new FrameReader(file, { offset: 0, crc: 0 });
    const header = headerOf(reader, place, findings);
    const previous = this.#previous;
    this.#previous = null;
    if (header === null) {
      this.#running.damaged();
      return null;
    }
    if (header.segment !== segment)
      findings.fault('journal.files', `its header says it is file ${header.segment}`, place);
    if (nodeId !== null && header.node_id !== nodeId)
      findings.fault('journal.files', `it belongs to ${header.node_id}, not to ${nodeId}`, place);
    if (previous !== null) {
      const { bytes, crc, epoch } = previous;
      if (header.previous?.bytes !== bytes || header.previous.crc !== crc)
        findings.fault(
          'journal.chain',
          `the file before it ends at offset ${bytes}, and is said to end elsewhere`,
          place,
        );
      if (header.epoch < epoch) findings.fault('journal.chain', `its epoch ${header.epoch} is below ${epoch}`, place);
    }
    this.#follow(header.first_seq, place);
    this.#lastSeq = header.first_seq - 1;
    this.#firstSeq ??= header.first_seq;
    this.#running.segment(header.carried, previous === null);
    return { header, at: reader.position };
  }

  *#readFrames(source: SegmentFile, segment: number, from: FramePosition): Generator<PlacedEntry, FramesEnd> {
    const file = segmentFile(segment);
    const stopAt = this.#stopOffset(segment);
    let at = from;
    for (;;) {
      const end = yield* this.#readRun(source, { file, segment, at, stopAt });
      const behind = end.is === 'broken' && end.at.offset < stopAt ? positionBehind(source, end.at) : null;
      if (behind === null) return end;
      const what = `the ${behind.offset - end.at.offset} bytes of a frame are not what was written; what follows can be read`;
      this.#deps.findings.fault('journal.chain', what, { file, offset: end.at.offset });
      this.#running.damaged();
      at = behind;
    }
  }

  *#readRun(
    source: SegmentFile,
    run: { readonly file: string; readonly segment: number; readonly at: FramePosition; readonly stopAt: number },
  ): Generator<PlacedEntry, FramesEnd> {
    const frames = framesFrom(source, run.at);
    for (;;) {
      const next = frames.next();
      const { at } = next.value;
      this.#passMark(run.segment, at.offset);
      if (next.done === true) return next.value;
      if (at.offset >= run.stopAt) return { is: 'end', at };
      this.#frames += 1;
      const place = { file: run.file, offset: at.offset };
      const entry = this.#take(next.value.frame, place);
      if (entry !== null) yield entry;
    }
  }

  #take(frame: Frame, place: Place): PlacedEntry | null {
    if (frame.kind === 'entry') {
      const { seq, attempt, body } = parseEntry(frame.payload);
      const found = { ...place, seq };
      this.#follow(seq, found);
      this.#lastSeq = seq;
      this.#entries += 1;
      this.#running.settled(attempt, found);
      return { seq, attempt, body, place: found };
    }
    if (frame.kind === 'intent') {
      const { attempt, open } = parseIntent(frame.payload);
      this.#running.began(attempt, open, place);
    } else if (frame.kind === 'void') this.#running.cancelled(parseVoid(frame.payload), place);
    else this.#deps.findings.fault('journal.chain', 'a second header in one file', place);
    return null;
  }

  /** @param seq must be the one behind the last one */
  #follow(seq: number, place: Place): void {
    if (this.#lastSeq === null || seq === this.#lastSeq + 1) return;
    const expected = this.#lastSeq + 1;
    const what =
      seq < expected
        ? `entry ${seq} comes after entry ${expected - 1}`
        : seq === expected + 1
          ? `entry ${expected} is missing`
          : `entries ${expected} to ${seq - 1} are missing`;
    this.#deps.findings.fault('journal.sequence', what, place);
  }

  #stopOffset(segment: number): number {
    const { writer } = this.#deps;
    return writer === 'running' && this.#mark?.segment === segment ? this.#mark.offset : Number.MAX_SAFE_INTEGER;
  }

  #passMark(segment: number, offset: number): void {
    if (this.#mark?.segment === segment && this.#mark.offset === offset) this.#seqAtMark = this.#lastSeq;
  }

  #closeSegment(
    source: SegmentFile,
    segment: number,
    { end, isNewest, header }: { readonly end: FramesEnd; readonly isNewest: boolean; readonly header: SegmentHeader },
  ): void {
    const { findings } = this.#deps;
    const place = { file: segmentFile(segment), offset: end.at.offset };
    if (end.is === 'end') {
      const sealed = sealedEnd(header, { bytes: end.at.offset, crc: end.at.crc });
      this.#previous = sealed === null ? null : { ...sealed, epoch: header.epoch };
      if (sealed === null) findings.fault('journal.chain', 'it is not as long as it was written anew', place);
      return;
    }
    this.#running.damaged();
    const acknowledged = this.#mark?.segment === segment && end.at.offset < this.#mark.offset;
    if (isNewest && !acknowledged && this.#mark !== null) {
      const bytes = statSync(source.path).size - end.at.offset;
      const what = `${bytes} bytes of a write that was cut short; never acknowledged, and set aside at the next start`;
      return findings.notice('journal.chain', what, place);
    }
    const what = end.is === 'broken' ? 'cannot be read' : 'end inside a frame';
    findings.fault(
      'journal.chain',
      `the bytes from here on ${what}${end.why === undefined ? '' : `: ${end.why}`}`,
      place,
    );
  }

  /** Only what lies before the mark was acknowledged for certain, and all of it must be there. */
  #compareMark(): void {
    const { dir, findings } = this.#deps;
    const mark = this.#mark;
    if (mark === null) {
      if (existsSync(join(dir, 'synced.mark'))) findings.notice('journal.mark', 'it cannot be read', MARK_PLACE);
      return;
    }
    const place = { file: segmentFile(mark.segment), offset: mark.offset };
    if (!this.#folder.segments.includes(mark.segment))
      findings.fault('journal.mark', `entries up to ${mark.seq} were synced into a file that is missing`, place);
    else if (this.#seqAtMark === null)
      findings.fault(
        'journal.mark',
        `entries up to ${mark.seq} were synced, and the file cannot be read that far`,
        place,
      );
    else if (this.#seqAtMark !== mark.seq)
      findings.fault('journal.mark', `entry ${mark.seq} was synced here, and entry ${this.#seqAtMark} is`, place);
  }
}

const MARK_PLACE: Place = { file: 'journal/synced.mark' };

/** The newest of the files that went when their retention was over; null when none did. */
function lastRetired(dir: string, findings: Findings): RetiredSegment | null {
  try {
    return readRetired(dir).at(-1) ?? null;
  } catch (error) {
    if (!(error instanceof ApportionError || error instanceof SyntaxError)) throw error;
    findings.fault('journal.files', error.message, { file: 'journal/retired.jsonl' });
    return null;
  }
}

function headerOf(reader: FrameReader, place: Place, findings: Findings): SegmentHeader | null {
  try {
    return readHeader(reader, place.file ?? '');
  } catch (error) {
    if (!(error instanceof ApportionError || error instanceof SyntaxError)) throw error;
    findings.fault('journal.chain', error.message, place);
    return null;
  }
}
