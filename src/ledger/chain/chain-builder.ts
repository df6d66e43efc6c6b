import { existsSync, renameSync } from 'node:fs';
import type { Clock } from '#std';
import { openPassingReader, type EntryReader } from '../journal/entry-reader.ts';
import { ChainFiles, readHeads, readRoots, type DailyRoot } from './chain-files.ts';
import { chainStart, GrowingChain, postedDay, type ChainPoint } from './chain-link.ts';
import { entryDigest } from './entry-digest.ts';
import { SegmentBorders } from './segment-borders.ts';

export type ChainPlace = {
  readonly journalDir: string;
  readonly chainDir: string;
  readonly nodeId: string;
  readonly epoch: number;
};

/** Entries between two heads at most: so many are read again after a restart. */
const HEAD_ENTRIES = 1000;

/** An entry is posted before it is synced: a day is closed when those of its last moments are durable. */
const DAY_GRACE_MS = 60_000;

const BATCH_BYTES = 1024 * 1024;

/**
 * Chains what the journal has, in order, and writes heads and daily roots. One for a journal. Whatever is lost in a crash is
 * computed again, to the same bytes. Every method throws what the disk or the journal says.
 */
export class ChainBuilder {
  readonly #place: ChainPlace;
  readonly #clock: Clock;
  readonly #reader: EntryReader;
  readonly #borders: SegmentBorders;
  #files: ChainFiles;
  #chain: GrowingChain;
  #headSeq: number;
  #rootDay: string;
  #checkedJournal = false;

  constructor(place: ChainPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
    this.#reader = openPassingReader(place.journalDir);
    this.#borders = new SegmentBorders(place.journalDir);
    this.#files = new ChainFiles(place.chainDir);
    const start = this.#resume();
    this.#chain = new GrowingChain(start);
    this.#headSeq = start.seq;
    this.#rootDay = readRoots(place.chainDir).at(-1)?.day ?? '';
  }

  get point(): ChainPoint {
    return this.#chain.point;
  }

  /** Chains up to `most` entries of those up to `through`. The days that ended in them. */
  advance(through: number, most: number): DailyRoot[] {
    this.#checkJournal(through);
    this.#borders.refresh(this.#chain.point.seq);
    const roots: DailyRoot[] = [];
    const entries = this.#reader.next({
      after: this.#chain.point.seq,
      through,
      maxEntries: most,
      maxBytes: BATCH_BYTES,
    });
    for (const { seq, body } of entries) {
      const digest = entryDigest(body);
      const ended = this.#chain.add(digest, postedDay(body));
      if (ended !== null) roots.push(...this.#writeRoot(ended));
      this.#files.check(seq, digest);
      if (this.#borders.pass(seq) || seq - this.#headSeq >= HEAD_ENTRIES) this.#writeHead();
    }
    return roots;
  }

  /** For when nothing comes: writes the head as it is, and closes the day if it is over and all of it is chained. */
  pause(through: number): DailyRoot[] {
    this.#writeHead();
    const { day, seq } = this.#chain.point;
    if (seq < through) return [];
    const over = new Date(this.#clock.now() - DAY_GRACE_MS).toISOString().slice(0, 10);
    return day !== null && day < over ? this.#writeRoot(this.#chain.point) : [];
  }

  /** Writes nothing more: `pause` before it keeps what was chained from being computed again. */
  close(): void {
    this.#reader.close();
    this.#files.close();
  }

  /** The newest head whose entries all have their four bytes. */
  #resume(): ChainPoint {
    const { checked } = this.#files;
    const known = readHeads(this.#place.chainDir).findLast(({ seq }) => seq <= checked);
    return known ?? { seq: 0, head: chainStart(this.#place.nodeId), day: null };
  }

  #writeHead(): void {
    const { point } = this.#chain;
    if (point.seq === this.#headSeq) return;
    this.#files.head(point);
    this.#headSeq = point.seq;
  }

  #writeRoot({ seq, head, day }: ChainPoint): DailyRoot[] {
    if (day === null || day <= this.#rootDay) return [];
    const root: DailyRoot = {
      day,
      node_id: this.#place.nodeId,
      epoch: this.#place.epoch,
      seq,
      root: head.toString('hex'),
      written_at: new Date(this.#clock.now()).toISOString(),
    };
    this.#files.root(root);
    this.#rootDay = day;
    return [root];
  }

  /** A journal that was put back to an older state will use numbers again: what was chained under them is kept aside. */
  #checkJournal(through: number): void {
    if (this.#checkedJournal) return;
    this.#checkedJournal = true;
    if (through >= this.#chain.point.seq) return;
    this.#files.close();
    const { chainDir, nodeId } = this.#place;
    renameSync(chainDir, asideOf(chainDir));
    this.#files = new ChainFiles(chainDir);
    this.#chain = new GrowingChain({ seq: 0, head: chainStart(nodeId), day: null });
    this.#headSeq = 0;
    this.#rootDay = '';
  }
}

function asideOf(dir: string): string {
  for (let n = 1; ; n += 1) {
    const aside = `${dir}.ahead-${n}`;
    if (!existsSync(aside)) return aside;
  }
}
