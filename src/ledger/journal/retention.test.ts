import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock, type TimestampMs } from '#std';
import { ApportionError, picoUsd } from '#terms';
import { totalsOf } from '../store/shipment.ts';
import type { SeqRange, Totals } from '../store/store.ts';
import { openEntryReader, readEntries } from './entry-reader.ts';
import { openJournal } from './journal.ts';
import { killedAtEachStep } from './killed.fixture.ts';
import { readRetired, retiredThrough } from './retired.ts';
import { retireOldest, type Retention } from './retention.ts';
import { sampleDeps, sampleEntry, scratchDir, seenEntries } from './sample.fixture.ts';
import { readSealed } from './sealed-segment.ts';
import { listSegments, segmentPath } from './segment.ts';
import { compressAll, writtenJournal } from './written.fixture.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ENTRIES = 60;
const LATER = (systemClock.now() + 2 * DAY_MS) as TimestampMs;

/** A store that has every entry the journal was written with. */
function storeOf(dir: string): Retention['stored'] {
  const bodies = new Map(Array.from(readEntries(dir), ({ seq, body }) => [seq, body]));
  return ({ first, last }: SeqRange): Promise<Totals> => {
    const entries = Array.from(bodies, ([seq, body]) => ({ seq, body })).filter(
      ({ seq }) => seq >= first && seq <= last,
    );
    return Promise.resolve(totalsOf(entries));
  };
}

function sample(dir: string): Retention {
  return { ageMs: DAY_MS, released: () => ENTRIES, stored: storeOf(dir) };
}

const isDamage = (error: unknown) => error instanceof ApportionError && error.message.includes('damaged');

test('F6: the oldest segment is removed when it is old enough, and what was in it is written down', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const oldest = readSealed(dir, 1);
  const retired = await retireOldest(dir, sample(dir), LATER);
  assert.equal(retired.is, 'retired');
  assert.deepEqual(readRetired(dir), [
    {
      segment: 1,
      first_seq: 1,
      last_seq: oldest.lastSeq,
      cost: '0',
      plain_bytes: oldest.end.bytes,
      plain_crc: oldest.end.crc,
      sealed_at: oldest.sealedAt,
      retired_at: new Date(LATER).toISOString(),
    },
  ]);
  assert.equal(listSegments(dir)[0], 2);
  assert.deepEqual(
    seenEntries(dir).map(({ seq }) => seq),
    Array.from({ length: ENTRIES - oldest.lastSeq }, (_, index) => oldest.lastSeq + 1 + index),
  );
});

test('F6: the file that is being written stays, however old, compressed ones go as plain ones do, and numbers go on', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const retention = sample(dir);
  compressAll(dir);
  const newest = listSegments(dir).at(-1);
  while ((await retireOldest(dir, retention, LATER)).is === 'retired');
  assert.deepEqual(listSegments(dir), [newest]);
  const journal = await openJournal(sampleDeps(dir));
  await journal.settle('later', sampleEntry('later'));
  await journal.close();
  assert.equal(seenEntries(dir).at(-1)?.seq, ENTRIES + 1);
  assert.equal(retiredThrough(dir), (seenEntries(dir)[0]?.seq ?? 0) - 1);
});

test('F6: nothing is removed that is too young, or not shipped', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const young = await retireOldest(dir, sample(dir), systemClock.now());
  const { lastSeq } = readSealed(dir, 1);
  const unshipped = await retireOldest(dir, { ...sample(dir), released: () => lastSeq - 1 }, LATER);
  assert.deepEqual([young.is, unshipped.is], ['none', 'none']);
  assert.equal(listSegments(dir)[0], 1);
});

test('F7: what the store does not have, all of it, stays in the journal', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  const whole = await sample(dir).stored({ first: 1, last: readSealed(dir, 1).lastSeq });
  for (const stored of [
    { ...whole, entries: whole.entries - 1 },
    { ...whole, entries: 0 },
    { ...whole, cost: picoUsd(1n) },
  ]) {
    const retired = await retireOldest(dir, { ...sample(dir), stored: () => Promise.resolve(stored) }, LATER);
    assert.equal(retired.is, 'kept');
  }
  const down = { ...sample(dir), stored: () => Promise.reject(new Error('the store is down')) };
  await assert.rejects(retireOldest(dir, down, LATER), /the store is down/);
  assert.equal(seenEntries(dir).length, ENTRIES);
  assert.deepEqual(readRetired(dir), []);
});

test('F8: entries that were removed cannot be asked for, and a file removed by hand is found', async (t) => {
  const dir = await writtenJournal(t, ENTRIES);
  await retireOldest(dir, sample(dir), LATER);
  const reader = openEntryReader(dir);
  assert.throws(() => reader.next({ after: 0, through: ENTRIES, maxEntries: 1, maxBytes: 1 }), isDamage);
  rmSync(segmentPath(dir, 2));
  assert.throws(() => seenEntries(dir), isDamage);
});

test('F6: killed at any step, the journal reads from what is written down, and the rest is done again', async (t) => {
  const whole = await writtenJournal(t, ENTRIES);
  const all = seenEntries(whole);
  const { lastSeq } = readSealed(whole, 2);
  const dir = join(scratchDir(t), 'journal');
  const main = fileURLToPath(new URL('./retire-main.fixture.ts', import.meta.url));
  const kills = await killedAtEachStep(t, {
    steps: 'all',
    command: [main, dir],
    before: () => {
      rmSync(dir, { recursive: true, force: true });
      cpSync(whole, dir, { recursive: true });
    },
    after: async () => {
      assert.deepEqual(seenEntries(dir), all.slice(retiredThrough(dir)));
      const stored = storeOf(whole);
      while (retiredThrough(dir) < lastSeq || listSegments(dir)[0] !== 3) {
        const retired = await retireOldest(dir, { ageMs: 0, released: () => ENTRIES, stored }, LATER);
        assert.equal(retired.is, 'retired');
      }
      assert.deepEqual(
        readRetired(dir).map(({ segment }) => segment),
        [1, 2],
      );
      assert.deepEqual(seenEntries(dir), all.slice(lastSeq));
      assert.deepEqual(
        readdirSync(dir).filter((name) => name.endsWith('.tmp')),
        [],
      );
    },
  });
  if (kills !== null) assert.ok(kills > 6, `${kills} steps`);
});
