import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { openJournal, type Journal } from './journal.ts';
import { sampleDeps, sampleEntry, sampleIntent, scratchDir, seenEntries, type SeenEntry } from './sample.fixture.ts';
import { listSegments, readHeader, segmentPath } from './segment.ts';
import { openSegmentFile } from './segment-file.ts';
import { FrameReader } from './frame-reader.ts';
import { readMark } from './synced-mark.ts';

type Step =
  | { do: 'begin'; count: number }
  | { do: 'settle' | 'cancel'; pick: number }
  | { do: 'settleUnknown' | 'restart' | 'kill' }
  /** The power goes: of what was not synced, only this share reached the disk. */
  | { do: 'powerCut'; share: number };

const plain = { noNullPrototype: true };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('begin' as const), count: fc.integer({ min: 1, max: 5 }) }, plain),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('settle' as const), pick: fc.nat() }, plain) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat() }, plain) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('settleUnknown', 'restart', 'kill') }, plain) },
    {
      weight: 1,
      arbitrary: fc.record(
        { do: fc.constant('powerCut' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) },
        plain,
      ),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** What the journal must hold, kept in memory. */
class Oracle {
  entries: SeenEntry[] = [];
  running: string[] = [];
  /** Attempts begun or taken back since the last sync: a power cut may undo either. */
  unsynced = new Set<string>();
  #names = 0;

  name(): string {
    this.#names += 1;
    return `call_${this.#names}`;
  }

  settle(attempt: string): void {
    this.running = this.running.filter((other) => other !== attempt);
    this.#append(attempt, 'exact');
    this.unsynced.clear();
  }

  cancel(attempt: string): void {
    this.running = this.running.filter((other) => other !== attempt);
    this.unsynced.add(attempt);
  }

  /** Every running attempt is in doubt; after a power cut those not synced may be missing or back. */
  crash(seen: readonly SeenEntry[], cut: boolean): void {
    const doubted = seen.slice(this.entries.length).map(({ attempt }) => attempt);
    if (!cut) assert.deepEqual(doubted, this.running);
    const allowed = new Set([...this.running, ...this.unsynced]);
    assert.ok(doubted.every((attempt) => allowed.has(attempt)));
    assert.ok(this.running.every((attempt) => doubted.includes(attempt) || this.unsynced.has(attempt)));
    for (const attempt of doubted) this.#append(attempt, 'in_doubt');
    assert.deepEqual(seen, this.entries);
    this.running = [];
    this.unsynced.clear();
  }

  #append(attempt: string, state: string): void {
    this.entries.push({ seq: this.entries.length + 1, attempt, state });
  }
}

class Trial {
  readonly oracle = new Oracle();
  readonly #scratch: string;
  #lives = 0;
  #journal: Journal | null = null;

  constructor(scratch: string) {
    this.#scratch = scratch;
  }

  get #dir(): string {
    return join(this.#scratch, `life-${this.#lives}`);
  }

  async open(): Promise<Journal> {
    this.#journal ??= await openJournal({ ...sampleDeps(this.#dir), segmentBytes: 900 });
    return this.#journal;
  }

  async step(step: Step): Promise<void> {
    const journal = await this.open();
    const { oracle } = this;
    if (step.do === 'begin') {
      const attempts = Array.from({ length: step.count }, () => oracle.name());
      await Promise.all(attempts.map((attempt) => journal.begin(attempt, sampleIntent(attempt))));
      oracle.running.push(...attempts);
      for (const attempt of attempts) oracle.unsynced.add(attempt);
    } else if (step.do === 'settle' || step.do === 'cancel') {
      const attempt = oracle.running[step.pick % oracle.running.length];
      if (attempt === undefined) return;
      if (step.do === 'settle') await journal.settle(attempt, sampleEntry(attempt));
      else await journal.cancel(attempt);
      oracle[step.do](attempt);
    } else if (step.do === 'settleUnknown') {
      const attempt = oracle.name();
      await journal.settle(attempt, sampleEntry(attempt));
      oracle.settle(attempt);
    } else if (step.do === 'restart') {
      await this.close();
      await this.open();
      oracle.crash(seenEntries(this.#dir), false);
    } else {
      await this.#crash(step.do === 'powerCut' ? step.share : 1);
    }
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    this.#journal = null;
  }

  /** The files are copied as they are under the living writer; the copy is what the next life finds. */
  async #crash(share: number): Promise<void> {
    const before = this.#dir;
    this.#lives += 1;
    copyAtOneMoment(before, this.#dir);
    await this.close();
    if (share < 1) cutUnsynced(this.#dir, share);
    await this.open();
    this.oracle.crash(seenEntries(this.#dir), share < 1);
  }
}

/** A rotation may still be on its way after the last answer; a copy that met one is made again. */
function copyAtOneMoment(from: string, to: string): void {
  for (;;) {
    const before = stateOf(from);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    for (const name of before.keys()) cpSync(join(from, name), join(to, name));
    if (isDeepStrictEqual(stateOf(from), before)) return;
  }
}

function stateOf(dir: string): Map<string, string> {
  const names = readdirSync(dir).filter((name) => !name.endsWith('.tmp'));
  return new Map(names.map((name) => [name, readFileSync(join(dir, name), 'latin1')]));
}

function cutUnsynced(dir: string, share: number): void {
  const mark = readMark(dir);
  const newest = listSegments(dir).at(-1) ?? 0;
  assert.ok(mark !== null && mark.segment >= newest - 1);
  const path = segmentPath(dir, newest);
  // Nothing in a new segment is synced before its name is: it may be gone altogether.
  if (mark.segment < newest && share < 0.5) return rmSync(path);
  const from = mark.segment === newest ? mark.offset : startOf(dir, newest);
  truncateSync(path, from + Math.floor((statSync(path).size - from) * share));
}

/** Behind the header and the intents carried over, which were synced before the file got its name. */
function startOf(dir: string, segment: number): number {
  const file = openSegmentFile(dir, segment);
  const reader = new FrameReader(file, { offset: 0, crc: 0 });
  const { carried } = readHeader(reader, file.path);
  for (let n = 0; n < carried; n += 1) assert.equal(reader.next().is, 'frame');
  file.close();
  return reader.position.offset;
}

test('whatever begins, ends, is taken back or crashes, the journal holds what a list in memory holds', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const scratch = scratchDir(t);
      mkdirSync(join(scratch, 'life-0'));
      const trial = new Trial(scratch);
      try {
        for (const step of [...taken, { do: 'kill' } as const]) await trial.step(step);
      } finally {
        await trial.close();
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
