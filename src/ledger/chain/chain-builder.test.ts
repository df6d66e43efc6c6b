import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { readEntries } from '../journal/entry-reader.ts';
import { ChainBuilder } from './chain-builder.ts';
import { readHeads, readRoots } from './chain-files.ts';
import { chainStart, nextHead } from './chain-link.ts';
import {
  chainAll,
  clockAt,
  DAY_MS,
  FIRST_DAY_MS,
  NODE_ID,
  placeIn,
  sampleBodies,
  scratchDir,
  writeJournal,
} from './chained.fixture.ts';
import { entryDigest } from './entry-digest.ts';

const LATER = clockAt(FIRST_DAY_MS + 100 * DAY_MS);

/** The heads after each entry, computed the plain way. */
function headsOf(dir: string): string[] {
  let head = chainStart(NODE_ID);
  return Array.from(readEntries(join(dir, 'journal')), ({ body }) => {
    head = nextHead(head, entryDigest(body));
    return head.toString('hex');
  });
}

function filesOf(dir: string): string[] {
  const chain = join(dir, 'chain');
  return ['roots.jsonl', 'digests.bin'].map((name) => readFileSync(join(chain, name), 'latin1'));
}

test('each day has a root: the head after its last entry, over all entries so far', async (t) => {
  const dir = scratchDir(t);
  await writeJournal(dir, sampleBodies(70, 20));
  const roots = chainAll(dir, 70);
  const heads = headsOf(dir);
  assert.deepEqual(
    roots.map(({ day, seq, root }) => ({ day, seq, root })),
    [20, 40, 60, 70].map((seq, at) => ({ day: `2026-11-0${at + 1}`, seq, root: heads[seq - 1] })),
  );
  assert.deepEqual(readRoots(join(dir, 'chain')), roots);
});

test('a day that is not over has no root yet', async (t) => {
  const dir = scratchDir(t);
  await writeJournal(dir, sampleBodies(30, 20));
  const today = FIRST_DAY_MS + DAY_MS;
  assert.deepEqual(
    chainAll(dir, 30, clockAt(today)).map(({ day }) => day),
    ['2026-11-01'],
  );
  const midnight = Date.UTC(2026, 10, 3);
  assert.deepEqual(chainAll(dir, 30, clockAt(midnight + 59_000)), [], 'its last entries may still be on their way');
  assert.deepEqual(
    chainAll(dir, 30, clockAt(midnight + 61_000)).map(({ day, seq }) => ({ day, seq })),
    [{ day: '2026-11-02', seq: 30 }],
  );
});

test('there is a head at the end of every segment, which may be removed one day', async (t) => {
  const dir = scratchDir(t);
  await writeJournal(dir, sampleBodies(70, 1000));
  chainAll(dir, 70);
  const heads = headsOf(dir);
  const written = readHeads(join(dir, 'chain'));
  assert.ok(written.length > 3, 'there are several segments');
  for (const { seq, head } of written) assert.equal(head.toString('hex'), heads[seq - 1]);
});

test('a process that dies at any moment leaves a chain that the next one goes on with, to the same bytes', async (t) => {
  const dir = scratchDir(t);
  await writeJournal(dir, sampleBodies(90, 25));
  chainAll(dir, 90);
  const whole = filesOf(dir);
  fc.assert(
    fc.property(fc.array(fc.record({ entries: fc.nat(60), cut: fc.nat() }), { maxLength: 4 }), (runs) => {
      rmSync(join(dir, 'chain'), { recursive: true });
      for (const { entries, cut } of runs) {
        const builder = new ChainBuilder(placeIn(dir), LATER);
        builder.advance(90, entries);
        if (cut % 2 === 0) builder.pause(90);
        builder.close();
        for (const name of ['heads.jsonl', 'digests.bin']) cutShort(join(dir, 'chain', name), cut);
        // A root is on disk before any head after it is written: only its own line can be torn.
        appendFileSync(join(dir, 'chain', 'roots.jsonl'), '{"day":');
      }
      chainAll(dir, 90);
      assert.deepEqual(filesOf(dir).map(withoutTimes), whole.map(withoutTimes));
    }),
    { numRuns: 25 },
  );
});

/** As a crash leaves a file to which a last write did not come. */
function cutShort(path: string, cut: number): void {
  if (existsSync(path)) truncateSync(path, Math.max(0, statSync(path).size - (cut % 150)));
}

function withoutTimes(text: string): string {
  return text.replaceAll(/"written_at":"[^"]*"/g, '');
}

test('a journal that was put back to an older state is chained anew, and the old chain is kept aside', async (t) => {
  const dir = scratchDir(t);
  const bodies = sampleBodies(40, 10);
  await writeJournal(dir, bodies);
  chainAll(dir, 40);
  rmSync(join(dir, 'journal'), { recursive: true });
  const fresh = scratchDir(t);
  await writeJournal(fresh, bodies.slice(0, 15));
  const builder = new ChainBuilder({ ...placeIn(fresh), chainDir: join(dir, 'chain') }, LATER);
  builder.advance(15, 100);
  builder.pause(15);
  builder.close();
  assert.equal(readHeads(join(dir, 'chain')).at(-1)?.seq, 15);
  assert.equal(readHeads(join(dir, 'chain.ahead-1')).at(-1)?.seq, 40);
});
