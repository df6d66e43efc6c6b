import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ApportionError } from '#terms';
import { systemClock } from '#std';
import { openJournal } from './journal.ts';
import { recoverJournal, type Recovered } from './recovery.ts';
import {
  NODE_ID,
  openSample,
  sampleDeps,
  sampleEntry,
  sampleIntent,
  scratchDir,
  seenEntries,
  type SeenEntry,
} from './sample.fixture.ts';
import { segmentPath } from './segment.ts';
import { readMark } from './synced-mark.ts';

/** Synced: a, b, c with their entries. Only written, as a crash leaves it: the intents of d and e. */
const SYNCED: SeenEntry[] = ['call_a', 'call_b', 'call_c'].map((attempt, index) => ({
  seq: index + 1,
  attempt,
  state: 'exact',
}));

/** A journal as `kill -9` leaves it, copied while the writer still has it. */
async function crashedJournal(t: TestContext): Promise<{ dir: string; bytes: Buffer; syncedTo: number }> {
  const live = scratchDir(t);
  const journal = await openSample(t, sampleDeps(live));
  for (const { attempt } of SYNCED) {
    await journal.begin(attempt, sampleIntent(attempt));
    await journal.settle(attempt, sampleEntry(attempt));
  }
  await journal.begin('call_d', sampleIntent('call_d'));
  await journal.begin('call_e', sampleIntent('call_e'));
  const dir = join(scratchDir(t), 'journal');
  cpSync(live, dir, { recursive: true });
  await journal.close();
  const bytes = readFileSync(segmentPath(dir, 1));
  const syncedTo = readMark(dir)?.offset ?? 0;
  assert.ok(syncedTo > 0 && syncedTo < bytes.length);
  return { dir, bytes, syncedTo };
}

function recover(dir: string): Recovered {
  const { fd, recovered } = recoverJournal({ dir, nodeId: NODE_ID, epoch: 1 }, systemClock.now());
  closeSync(fd);
  return recovered;
}

function isDamage(error: unknown): boolean {
  return error instanceof ApportionError && error.code === 'journal_unavailable' && error.message.includes('damaged');
}

/** What a recovery must leave: the synced entries, then one in-doubt entry for each intent that was whole. */
function assertRecovered(dir: string, doubted: readonly string[]): void {
  rmSync(join(dir, 'synced.mark'), { force: true });
  const inDoubt = doubted.map((attempt, index) => ({ seq: 4 + index, attempt, state: 'in_doubt' }));
  assert.deepEqual(seenEntries(dir), [...SYNCED, ...inDoubt]);
}

test('an attempt that was running when the process died gets an in-doubt entry', async (t) => {
  const { dir } = await crashedJournal(t);
  assert.deepEqual(recover(dir), { entries: 3, inDoubt: 2, tornBytes: 0 });
  assertRecovered(dir, ['call_d', 'call_e']);
});

test('a second recovery finds nothing left to do', async (t) => {
  const { dir } = await crashedJournal(t);
  recover(dir);
  assert.deepEqual(recover(dir), { entries: 5, inDoubt: 0, tornBytes: 0 });
  assertRecovered(dir, ['call_d', 'call_e']);
});

test('a file cut at any byte after the last sync recovers to what was whole', async (t) => {
  const { dir, bytes, syncedTo } = await crashedJournal(t);
  const copy = join(dir, '..', 'copy');
  const intentBytes = (bytes.length - syncedTo) / 2;
  for (let size = syncedTo; size <= bytes.length; size += 1) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(dir, copy, { recursive: true });
    truncateSync(segmentPath(copy, 1), size);
    const whole = Math.floor((size - syncedTo) / intentBytes);
    const tornBytes = (size - syncedTo) % intentBytes;
    assert.deepEqual(recover(copy), { entries: 3, inDoubt: whole, tornBytes }, `cut at ${size}`);
    assertRecovered(copy, ['call_d', 'call_e'].slice(0, whole));
    const torn = readdirSync(copy).filter((name) => name.startsWith('torn-'));
    assert.deepEqual(torn, tornBytes === 0 ? [] : ['torn-1.bin']);
    if (tornBytes > 0) assert.deepEqual(readFileSync(join(copy, 'torn-1.bin')), bytes.subarray(size - tornBytes, size));
  }
});

test('a file that lost synced bytes is refused at every size, and left as it is', async (t) => {
  const { dir, bytes, syncedTo } = await crashedJournal(t);
  for (let size = 0; size < syncedTo; size += 1) {
    writeFileSync(segmentPath(dir, 1), bytes.subarray(0, size));
    assert.throws(() => recover(dir), isDamage, `cut at ${size}`);
    assert.deepEqual(readFileSync(segmentPath(dir, 1)), bytes.subarray(0, size));
  }
});

test('without the mark, a file cut anywhere recovers to a prefix of its entries', async (t) => {
  const { dir, bytes } = await crashedJournal(t);
  rmSync(join(dir, 'synced.mark'));
  const headerEnd = 8 + bytes.readUInt32LE(0);
  for (let size = headerEnd; size < bytes.length; size += 7) {
    writeFileSync(segmentPath(dir, 1), bytes.subarray(0, size));
    const { entries } = recover(dir);
    const seen = seenEntries(dir);
    assert.deepEqual(seen.slice(0, entries), SYNCED.slice(0, entries));
    assert.ok(seen.slice(entries).every(({ state }) => state === 'in_doubt'));
  }
});

test('a flipped bit is found at every byte: refused where it was synced, cut where it was not', async (t) => {
  const { dir, bytes, syncedTo } = await crashedJournal(t);
  const copy = join(dir, '..', 'copy');
  for (let at = 0; at < bytes.length; at += 1) {
    const garbled = Buffer.from(bytes);
    garbled[at] = (garbled[at] ?? 0) ^ (1 << (at % 8));
    if (at < syncedTo) {
      writeFileSync(segmentPath(dir, 1), garbled);
      assert.throws(() => recover(dir), isDamage, `flipped at ${at}`);
      continue;
    }
    rmSync(copy, { recursive: true, force: true });
    cpSync(dir, copy, { recursive: true });
    writeFileSync(segmentPath(copy, 1), garbled);
    const { entries, tornBytes } = recover(copy);
    assert.equal(entries, 3);
    assert.ok(tornBytes > 0, `flipped at ${at}`);
    assert.equal(recover(copy).tornBytes, 0, 'what was torn is cut off');
  }
});

test('a crash at any byte of the recovery itself is recovered by the next one', async (t) => {
  const { dir, bytes } = await crashedJournal(t);
  const half = bytes.length - 20;
  writeFileSync(segmentPath(dir, 1), bytes.subarray(0, half));
  const before = join(dir, '..', 'before');
  cpSync(dir, before, { recursive: true });
  recover(dir);
  const done = readFileSync(segmentPath(dir, 1));
  const cut = half - (recoveredTornBytes(dir) ?? 0);
  for (let size = cut; size <= done.length; size += 1) {
    const copy = join(dir, '..', 'copy');
    rmSync(copy, { recursive: true, force: true });
    cpSync(before, copy, { recursive: true });
    // The torn bytes are kept by now, the cut is done, and the in-doubt entry is on its way to the disk.
    copyFileSync(join(dir, 'torn-1.bin'), join(copy, 'torn-1.bin'));
    writeFileSync(segmentPath(copy, 1), done.subarray(0, size));
    recover(copy);
    assertRecovered(copy, ['call_d']);
  }
});

function recoveredTornBytes(dir: string): number | undefined {
  return readFileSync(join(dir, 'torn-1.bin')).length;
}

test('a crash between keeping the torn bytes and cutting them loses neither', async (t) => {
  const { dir, bytes } = await crashedJournal(t);
  writeFileSync(segmentPath(dir, 1), bytes.subarray(0, bytes.length - 20));
  writeFileSync(join(dir, 'torn-1.bin'), 'kept by the recovery that crashed');
  writeFileSync(join(dir, 'torn-2.bin.tmp'), 'half a copy');
  recover(dir);
  assert.deepEqual(readdirSync(dir).toSorted(), ['0000000001.log', 'synced.mark', 'torn-1.bin', 'torn-2.bin']);
  assertRecovered(dir, ['call_d']);
});

test('a segment that was being made when the process died is not part of the journal', async (t) => {
  const { dir, bytes } = await crashedJournal(t);
  writeFileSync(`${segmentPath(dir, 2)}.tmp`, bytes.subarray(0, 50));
  assert.deepEqual(recover(dir), { entries: 3, inDoubt: 2, tornBytes: 0 });
  assert.deepEqual(readdirSync(dir).toSorted(), ['0000000001.log', 'synced.mark']);
});

test('a journal whose newest file is gone is refused', async (t) => {
  const { dir } = await crashedJournal(t);
  rmSync(segmentPath(dir, 1));
  assert.throws(() => recover(dir), isDamage);
});

test('a journal with a file missing in between is refused', async (t) => {
  const { dir } = await crashedJournal(t);
  copyFileSync(segmentPath(dir, 1), segmentPath(dir, 3));
  assert.throws(() => recover(dir), isDamage);
});

test('the journal of another node is refused', async (t) => {
  const { dir } = await crashedJournal(t);
  const other = { dir, nodeId: 'node_other', epoch: 1 };
  assert.throws(() => recoverJournal(other, systemClock.now()), /belongs to node_0123456789abcdef, not to node_other/);
});

test('a folder that is not there is told when the journal is opened', async (t) => {
  const dir = join(scratchDir(t), 'nowhere');
  await assert.rejects(openJournal(sampleDeps(dir)), {
    code: 'journal_unavailable',
    message: /cannot be opened: ENOENT/,
  });
  mkdirSync(dir);
  await (await openJournal(sampleDeps(dir))).close();
});

test('F5: under a new epoch a new file is begun, and an older epoch is refused from then on', async (t) => {
  const { dir } = await crashedJournal(t);
  const later = await openSample(t, { ...sampleDeps(dir), epoch: 2 });
  assert.equal(later.recovered.inDoubt, 2);
  await later.settle('call_f', sampleEntry('call_f'));
  await later.close();
  const [first, second] = [1, 2].map((segment) => readFileSync(segmentPath(dir, segment), 'latin1'));
  assert.match(first ?? '', /"epoch":1,"segment":1,"first_seq":1/);
  assert.match(second ?? '', /"epoch":2,"segment":2,"first_seq":6/);
  assert.equal(seenEntries(dir).length, 6);
  await assert.rejects(openJournal({ ...sampleDeps(dir), epoch: 1 }), /is of epoch 2, the node of 1/);
  await (await openJournal({ ...sampleDeps(dir), epoch: 2 })).close();
  assert.deepEqual(readdirSync(dir).toSorted(), ['0000000001.log', '0000000002.log', 'synced.mark']);
});
