import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApportionError } from '#terms';
import { compressSegment, listUncompressed } from './compression.ts';
import { openCompressed } from './compressed-segment.ts';
import { openEntryReader, readEntries } from './entry-reader.ts';
import { openJournal } from './journal.ts';
import { killedAtEachStep } from './killed.fixture.ts';
import { openSample, sampleDeps, sampleEntry, scratchDir, seenEntries } from './sample.fixture.ts';
import { compressedPath, listSegments, segmentPath } from './segment.ts';
import { compressAll, writtenJournal } from './written.fixture.ts';

const ENTRIES = 60;

const isDamage = (error: unknown) => error instanceof ApportionError && error.message.includes('damaged');

test('F1: compressed, a journal reads as it did, from its start and from any entry', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const before = seenEntries(dir);
  assert.equal(before.length, ENTRIES);
  compressAll(dir);
  const newest = listSegments(dir).at(-1) ?? 0;
  assert.ok(newest > 5);
  const names = readdirSync(dir).filter((name) => name.includes('.log'));
  assert.deepEqual(
    names.filter((name) => !name.endsWith('.zst')),
    [`${String(newest).padStart(10, '0')}.log`],
  );
  assert.deepEqual(seenEntries(dir), before);
  const reader = openEntryReader(dir);
  for (const after of [33, 7, 0, 59, 12]) {
    const [next] = reader.next({ after, through: ENTRIES, maxEntries: 1, maxBytes: 1 });
    assert.equal(next?.seq, after + 1);
  }
  reader.close();
});

test('F1: a reader that has a plain file open reads on when it is compressed under it', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const reader = openEntryReader(dir);
  const take = (after: number, maxEntries: number) =>
    reader.next({ after, through: ENTRIES, maxEntries, maxBytes: 1_000_000 }).map(({ seq }) => seq);
  assert.deepEqual(take(0, 2), [1, 2]);
  compressAll(dir);
  const rest = take(2, ENTRIES);
  assert.deepEqual([rest.at(0), rest.at(-1), rest.length], [3, ENTRIES, ENTRIES - 2]);
  reader.close();
});

test('F1: every zstd tool unpacks a compressed file to what it was', async (t) => {
  if (spawnSync('zstd', ['--version']).status !== 0) return t.skip('zstd is not here');
  const dir = await writtenJournal(t, ENTRIES);
  const plain = readFileSync(segmentPath(dir, 1));
  compressSegment(dir, 1);
  const unpacked = spawnSync('zstd', ['-d', '-c', compressedPath(dir, 1)]);
  assert.equal(unpacked.status, 0, unpacked.stderr.toString());
  assert.deepEqual(unpacked.stdout, plain);
});

test('F2: a changed bit is found at every byte of a compressed file', async (t) => {
  const dir = await writtenJournal(t, 12);
  compressSegment(dir, 1);
  const path = compressedPath(dir, 1);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 1) {
    const garbled = Buffer.from(bytes);
    garbled[at] = (garbled[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, garbled);
    assert.throws(() => seenEntries(dir), isDamage, `flipped at ${at}`);
  }
});

test('F2: a compressed file cut at any byte is found', async (t) => {
  const dir = await writtenJournal(t, 12);
  compressSegment(dir, 1);
  const path = compressedPath(dir, 1);
  for (let size = readFileSync(path).length - 1; size >= 0; size -= 1) {
    truncateSync(path, size);
    assert.throws(() => seenEntries(dir), isDamage, `cut at ${size}`);
  }
});

test('F2: a compressed file in the place of another is found', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  compressAll(dir);
  copyFileSync(compressedPath(dir, 2), compressedPath(dir, 3));
  assert.throws(() => seenEntries(dir), isDamage);
});

test('F3: a plain file that is not what was sealed is left as it is', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const path = segmentPath(dir, 2);
  const bytes = readFileSync(path);
  const spoiled = [bytes.subarray(0, -5), Buffer.concat([bytes, Buffer.from('more')])];
  for (const at of [0, 40, bytes.length - 1]) {
    const garbled = Buffer.from(bytes);
    garbled[at] = (garbled[at] ?? 0) ^ 1;
    spoiled.push(garbled);
  }
  const names = readdirSync(dir).toSorted();
  for (const content of spoiled) {
    writeFileSync(path, content);
    assert.throws(() => compressSegment(dir, 2), isDamage);
    assert.deepEqual(readFileSync(path), content);
    assert.deepEqual(readdirSync(dir).toSorted(), names);
  }
});

test('F3: killed at any step of compressing, nothing is lost, and it can be done again', async (t) => {
  const whole = await writtenJournal(t, ENTRIES);
  const before = seenEntries(whole);
  const dir = join(scratchDir(t), 'journal');
  const main = fileURLToPath(new URL('./compress-main.fixture.ts', import.meta.url));
  const kills = await killedAtEachStep(t, {
    steps: 'all',
    command: [main, dir],
    before: () => {
      rmSync(dir, { recursive: true, force: true });
      cpSync(whole, dir, { recursive: true });
    },
    after: async () => {
      assert.deepEqual(seenEntries(dir), before);
      compressAll(dir);
      assert.deepEqual(listUncompressed(dir), []);
      assert.deepEqual(seenEntries(dir), before);
      await (await openJournal(sampleDeps(dir))).close();
      assert.deepEqual(
        readdirSync(dir).filter((name) => name.endsWith('.tmp')),
        [],
      );
    },
  });
  if (kills !== null) assert.ok(kills > 5, `${kills} steps`);
});

test('F1: a journal goes on over compressed files, and recovers as before', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  compressAll(dir);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.settle('later', sampleEntry('later'));
  await journal.close();
  assert.deepEqual(seenEntries(dir).at(-1), { seq: ENTRIES + 1, attempt: 'later', state: 'exact' });
});

test('F1: a journal whose newest file is gone is refused also when the one before it is compressed', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  compressAll(dir);
  rmSync(segmentPath(dir, listSegments(dir).at(-1) ?? 0));
  rmSync(join(dir, 'synced.mark'));
  await assert.rejects(openJournal(sampleDeps(dir)), /the file is missing/);
});

test('the index of a compressed file says which entries are in it', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const [plain, first] = [readFileSync(segmentPath(dir, 2)).length, seenEntries(dir)];
  assert.ok(first.length > 0);
  compressAll(dir);
  const [one, two, three] = [1, 2, 3].map((segment) => {
    const file = openCompressed(compressedPath(dir, segment));
    file.close();
    return file.index;
  });
  assert.equal(two?.first_seq, (one?.last_seq ?? 0) + 1);
  assert.equal(three?.first_seq, (two?.last_seq ?? 0) + 1);
  assert.equal(two?.plain_bytes, plain);
  assert.ok(existsSync(compressedPath(dir, 2)));
  assert.equal(Array.from(readEntries(dir, { after: (two?.last_seq ?? 0) - 1 }))[0]?.seq, two?.last_seq);
});
