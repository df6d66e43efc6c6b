import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { systemClock } from '#std';
import { Findings, JournalWalk } from '../check/index.ts';
import { chainAll, NODE_ID, sampleBodies, scratchDir, writeJournal } from '../chain/chained.fixture.ts';
import { verifyChain } from '../chain/verify-chain.ts';
import { compressSegment, listUncompressed } from '../journal/compression.ts';
import { readEntries } from '../journal/entry-reader.ts';
import { openJournal } from '../journal/journal.ts';
import { listSealed } from '../journal/sealed-segment.ts';
import { segmentPath } from '../journal/segment.ts';
import { bodyEraser } from './erase-body.ts';
import { eraseInSegment } from './erase-segment.ts';
import type { ErasureSubject } from './subject.ts';

const ENTRIES = 80;
const ANN: ErasureSubject = { kind: 'tag', key: 'customer', value: 'customer-3' };

/** A journal whose entries are all in sealed segments, and chained. */
async function sealedJournal(t: TestContext): Promise<string> {
  const dir = scratchDir(t);
  await writeJournal(dir, sampleBodies(ENTRIES, 30));
  const journal = await openJournal({ dir: join(dir, 'journal'), nodeId: NODE_ID, clock: systemClock });
  await journal.begin('running', '{"call_id":"c","attempt":1,"reserved":null,"tags":{"customer":"customer-3"}}');
  await journal.cancel('running');
  await journal.rotate();
  await journal.close();
  chainAll(dir, ENTRIES);
  return dir;
}

function eraseAll(dir: string): { entries: number; intents: number } {
  const journal = join(dir, 'journal');
  const sums = { entries: 0, intents: 0 };
  for (const segment of listSealed(journal)) {
    const { entries, intents } = eraseInSegment(journal, segment, bodyEraser(ANN));
    sums.entries += entries;
    sums.intents += intents;
  }
  return sums;
}

function filesWith(dir: string, value: string): string[] {
  const journal = join(dir, 'journal');
  return readdirSync(journal).filter((name) => {
    const bytes = readFileSync(join(journal, name));
    return bytes.includes(value) || (name.endsWith('.zst') && zstdDecompressSync(bytes).includes(value));
  });
}

for (const form of ['plain', 'compressed'] as const) {
  test(`E1: a subject is gone from ${form} segments, and nothing else of any entry, and all of it verifies`, async (t) => {
    const dir = await sealedJournal(t);
    const journal = join(dir, 'journal');
    if (form === 'compressed') for (const segment of listUncompressed(journal)) compressSegment(journal, segment);
    const before = Array.from(readEntries(journal), ({ seq, body }) => ({ seq, entry: JSON.parse(body.toString()) }));
    assert.ok(filesWith(dir, 'customer-3').length > 1);
    const sums = eraseAll(dir);
    assert.deepEqual(sums, {
      entries: before.filter(({ entry }) => entry.tags.customer === 'customer-3').length,
      intents: 1,
    });
    assert.deepEqual(filesWith(dir, 'customer-3'), []);
    const after = Array.from(readEntries(journal), ({ seq, body }) => ({ seq, entry: JSON.parse(body.toString()) }));
    for (const { entry } of before) {
      if (entry.tags.customer !== 'customer-3') continue;
      entry.tags.customer = '(erased)';
      entry.tags_sent = [];
    }
    for (const { entry } of [...before, ...after]) delete entry.salt;
    assert.deepEqual(after, before);
    assert.equal(verifyChain(dir).broken, null);
    assert.deepEqual(eraseAll(dir), { entries: 0, intents: 0 }, 'there is nothing left to erase');
  });
}

test('E1: a second erasure of another subject in the same segments leaves both erased', async (t) => {
  const dir = await sealedJournal(t);
  const journal = join(dir, 'journal');
  eraseAll(dir);
  for (const segment of listSealed(journal))
    eraseInSegment(journal, segment, bodyEraser({ kind: 'tag', key: 'customer', value: 'customer-4' }));
  assert.deepEqual([...filesWith(dir, 'customer-3'), ...filesWith(dir, 'customer-4')], []);
  assert.equal(verifyChain(dir).broken, null);
});

test('E2: a rewritten segment is checked like every other: each byte and its length', async (t) => {
  const dir = await sealedJournal(t);
  eraseAll(dir);
  const journal = join(dir, 'journal');
  assert.deepEqual(faultsIn(journal), []);
  const path = segmentPath(journal, 2);
  const bytes = readFileSync(path);
  assert.match(bytes.toString('latin1', 0, 500), /"rewritten":/);
  for (const damagedBytes of [bytes.subarray(0, -1), bytes.subarray(0, 700), flipped(bytes, 30), flipped(bytes, 900)]) {
    writeFileSync(path, damagedBytes);
    assert.throws(() => Array.from(readEntries(journal)), /is damaged/);
    assert.notDeepEqual(faultsIn(journal), []);
    assert.notEqual(verifyChain(dir).broken, null);
  }
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function faultsIn(journal: string): string[] {
  const findings = new Findings();
  const walk = new JournalWalk({ dir: journal, nodeId: NODE_ID, findings, writer: 'stopped' });
  Array.from(walk.entries());
  return findings.list().map(({ what }) => what);
}
