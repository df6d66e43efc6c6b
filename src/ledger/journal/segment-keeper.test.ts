import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { systemClock } from '#std';
import { picoUsd } from '#terms';
import { keptLog } from '../store/sample.fixture.ts';
import { listUncompressed } from './compression.ts';
import { openJournal } from './journal.ts';
import { sampleDeps, sampleEntry, scratchDir, seenEntries } from './sample.fixture.ts';
import { listSegments, segmentPath } from './segment.ts';
import { createSegmentKeeper, type SegmentKeeperDeps } from './segment-keeper.ts';
import { writtenJournal } from './written.fixture.ts';

function sample(dir: string): SegmentKeeperDeps & { log: ReturnType<typeof keptLog> } {
  return { dir, compress: true, retention: null, clock: systemClock, log: keptLog(), everyMs: 60_000 };
}

function open(t: TestContext, deps: SegmentKeeperDeps) {
  const keeper = createSegmentKeeper(deps);
  t.after(() => keeper.close());
  return keeper;
}

test('F1: sealed segments are compressed while the journal is being written, and each is told', async (t) => {
  const dir = scratchDir(t);
  const journal = await openJournal({ ...sampleDeps(dir), segmentBytes: 2000 });
  t.after(() => journal.close());
  const deps = sample(dir);
  const keeper = open(t, deps);
  const settle = async (name: string) => {
    for (let n = 0; n < 40; n += 1) await journal.settle(`${name}_${n}`, sampleEntry(`${name}_${n}`));
  };
  await settle('before');
  const sealed = await journal.rotate();
  await Promise.all([keeper.tend(), settle('beside')]);
  await keeper.tend();
  assert.deepEqual(listUncompressed(dir), []);
  const told = deps.log.lines.filter(({ sentence }) => sentence === 'a journal file is compressed');
  assert.ok(told.length >= sealed);
  await journal.close();
  assert.equal(seenEntries(dir).length, 80);
});

test('F3: a damaged segment is told once and left, and the others are compressed all the same', async (t) => {
  const dir = await writtenJournal(t, 40);
  const bytes = readFileSync(segmentPath(dir, 2));
  bytes[500] = (bytes[500] ?? 0) ^ 1;
  writeFileSync(segmentPath(dir, 2), bytes);
  const deps = sample(dir);
  const keeper = open(t, deps);
  await keeper.tend();
  await keeper.tend();
  assert.deepEqual(listUncompressed(dir), [2]);
  assert.deepEqual(
    deps.log.lines.flatMap(({ level, sentence }) => (level === 'error' ? [sentence] : [])),
    ['a journal file is left as it is'],
  );
});

test('F3: closing ends a compression at once, and the next keeper does it again', async (t) => {
  const dir = await writtenJournal(t, 40);
  const keeper = open(t, sample(dir));
  const tended = keeper.tend();
  await keeper.close();
  await tended;
  assert.equal(seenEntries(dir).length, 40);
  await open(t, sample(dir)).tend();
  assert.deepEqual(listUncompressed(dir), []);
  assert.equal(seenEntries(dir).length, 40);
});

test('F7: a segment whose retention is over but whose entries the store lacks is kept, told once', async (t) => {
  const dir = await writtenJournal(t, 40);
  const deps = sample(dir);
  const stored = () => Promise.resolve({ entries: 0, cost: picoUsd(0n) });
  const keeper = open(t, { ...deps, compress: false, retention: { ageMs: 0, released: () => 40, stored } });
  await keeper.tend();
  await keeper.tend();
  assert.equal(listSegments(dir)[0], 1);
  assert.deepEqual(
    deps.log.lines.map(({ level, sentence }) => [level, sentence]),
    [['error', 'a journal file whose retention is over is kept']],
  );
});

test('F3: nothing is compressed while somebody else works on segments, whatever comes of it', async (t) => {
  const dir = await writtenJournal(t, 40);
  const keeper = open(t, sample(dir));
  const before = listUncompressed(dir);
  const working = Promise.withResolvers<void>();
  const alone = keeper.alone(() => working.promise);
  const tended = keeper.tend();
  assert.deepEqual(listUncompressed(dir), before);
  working.reject(new Error('the work failed'));
  await assert.rejects(alone, /the work failed/);
  await tended;
  assert.deepEqual(listUncompressed(dir), []);
});
