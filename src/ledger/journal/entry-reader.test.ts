import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ApportionError } from '#terms';
import { openEntryReader, openPassingReader, readEntries } from './entry-reader.ts';
import { openSample, sampleDeps, sampleEntry, sampleIntent, scratchDir } from './sample.fixture.ts';
import { listSegments, segmentPath } from './segment.ts';

const WIDE = { maxEntries: 1000, maxBytes: 1_000_000 };

/** @returns the folder of a closed journal with entries 1 to `count` */
async function writtenJournal(t: TestContext, count: number, segmentBytes = 2000): Promise<string> {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes });
  for (let n = 1; n <= count; n += 1) {
    await journal.begin(`call_${n}`, sampleIntent(`call_${n}`));
    await journal.settle(`call_${n}`, sampleEntry(`call_${n}`));
  }
  await journal.close();
  return dir;
}

function sequence(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const isDamage = (error: unknown) => error instanceof ApportionError && error.message.includes('damaged');

test('entries are handed out as they were written, up to the one that is told to be durable', async (t) => {
  const reader = openEntryReader(await writtenJournal(t, 20));
  const first = reader.next({ after: 0, through: 12, ...WIDE });
  assert.deepEqual(
    first.map(({ seq, body }) => [seq, body.toString()]),
    sequence(1, 12).map((seq) => [seq, sampleEntry(`call_${seq}`)]),
  );
  assert.deepEqual(reader.next({ after: 12, through: 12, ...WIDE }), []);
  const rest = reader.next({ after: 12, through: 20, ...WIDE });
  assert.deepEqual(
    rest.map(({ seq }) => seq),
    sequence(13, 20),
  );
  reader.close();
});

test('a passing reader hands out the same entries, each answer in the memory of the one before', async (t) => {
  const reader = openPassingReader(await writtenJournal(t, 40));
  const found: string[] = [];
  const memory = new Set<ArrayBufferLike>();
  for (let after = 0; after < 40; after += 8) {
    const entries = reader.next({ after, through: after + 8, ...WIDE });
    found.push(...entries.map(({ body }) => body.toString()));
    memory.add(entries[0]?.body.buffer ?? new ArrayBuffer(0));
  }
  assert.deepEqual(
    found,
    sequence(1, 40).map((seq) => sampleEntry(`call_${seq}`)),
  );
  assert.equal(memory.size, 1);
  reader.close();
});

test('an answer keeps to its limits, but for a single entry that is larger than them', async (t) => {
  const dir = await writtenJournal(t, 9);
  const reader = openEntryReader(dir);
  const size = Buffer.byteLength(sampleEntry('call_1'));
  const take = (after: number, limits: { maxEntries: number; maxBytes: number }) =>
    reader.next({ after, through: 9, ...limits }).map(({ seq }) => seq);
  assert.deepEqual(take(0, { maxEntries: 2, maxBytes: 1_000_000 }), [1, 2]);
  assert.deepEqual(take(2, { maxEntries: 1000, maxBytes: size * 3 }), [3, 4, 5]);
  assert.deepEqual(take(5, { maxEntries: 1000, maxBytes: 1 }), [6]);
  assert.deepEqual(take(6, WIDE), [7, 8, 9]);
  reader.close();
});

test('a reader can start anywhere, and go back', async (t) => {
  const reader = openEntryReader(await writtenJournal(t, 40));
  for (const after of [33, 7, 0, 39, 12]) {
    const entries = reader.next({ after, through: 40, ...WIDE });
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      sequence(after + 1, 40),
    );
  }
  reader.close();
});

test('a reader follows a journal that is being written, over its rotations', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 3000 });
  const reader = openEntryReader(dir);
  const seen: number[] = [];
  journal.onDurable(({ seq }) => {
    const entries = reader.next({ after: seen.at(-1) ?? 0, through: seq, maxEntries: 7, maxBytes: 100_000 });
    seen.push(...entries.map((entry) => entry.seq));
  });
  const lane = async (name: string) => {
    for (let n = 0; n < 100; n += 1) {
      await journal.begin(`${name}_${n}`, sampleIntent(`${name}_${n}`));
      await journal.settle(`${name}_${n}`, sampleEntry(`${name}_${n}`));
    }
  };
  await Promise.all(['call_a', 'call_b', 'call_c'].map(lane));
  for (let entries = []; seen.length < 300; seen.push(...entries.map(({ seq }) => seq))) {
    entries = reader.next({ after: seen.at(-1) ?? 0, through: 300, ...WIDE });
    assert.ok(entries.length > 0);
  }
  assert.deepEqual(seen, sequence(1, 300));
  reader.close();
  await journal.close();
});

test('an entry that is not whole yet is not handed out, and is once it is', async (t) => {
  const dir = await writtenJournal(t, 3, 1_000_000);
  const path = segmentPath(dir, 1);
  const bytes = readFileSync(path);
  truncateSync(path, bytes.length - 10);
  const reader = openEntryReader(dir);
  const first = reader.next({ after: 0, through: 3, ...WIDE });
  assert.deepEqual(
    first.map(({ seq }) => seq),
    [1, 2],
  );
  assert.deepEqual(reader.next({ after: 2, through: 3, ...WIDE }), []);
  appendFileSync(path, bytes.subarray(bytes.length - 10));
  const last = reader.next({ after: 2, through: 3, ...WIDE });
  assert.deepEqual(
    last.map(({ seq }) => seq),
    [3],
  );
  reader.close();
});

test('a flipped bit in a sealed file is found, wherever it is', async (t) => {
  const dir = await writtenJournal(t, 8, 1000);
  const path = segmentPath(dir, 1);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 3) {
    const garbled = Buffer.from(bytes);
    garbled[at] = (garbled[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, garbled);
    assert.throws(() => Array.from(readEntries(dir)), isDamage, `flipped at ${at}`);
  }
});

test('a sealed file that lost its tail is found, at every size', async (t) => {
  const dir = await writtenJournal(t, 8, 1000);
  const path = segmentPath(dir, 1);
  const bytes = readFileSync(path);
  for (let size = bytes.length - 1; size > 0; size -= 3) {
    truncateSync(path, size);
    assert.throws(() => Array.from(readEntries(dir)), isDamage, `cut at ${size}`);
  }
});

test('a file missing in between is found; old files may go, but their entries cannot be asked for', async (t) => {
  const dir = await writtenJournal(t, 30, 1000);
  const segments = listSegments(dir);
  assert.ok(segments.length > 4);
  rmSync(segmentPath(dir, 1));
  const kept = Array.from(readEntries(dir, { after: 20 }), ({ seq }) => seq);
  assert.deepEqual(kept, sequence(21, 30));
  assert.throws(() => Array.from(readEntries(dir)), isDamage);
  rmSync(segmentPath(dir, 3));
  assert.throws(() => Array.from(readEntries(dir, { after: 20 })), isDamage);
});

test('a folder without a journal has no entries', (t) => {
  assert.deepEqual(Array.from(readEntries(scratchDir(t))), []);
});
