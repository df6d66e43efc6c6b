import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, sampleEntry, tempDir, type EntryFile } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { openStore } from './store.ts';

const CHILD = fileURLToPath(new URL('shipping-main.fixture.ts', import.meta.url));
const BAD_ENTRY = '{"schema":1,"effective_at":"no time at all","cost":"1000"}';

/** Ships in a process of its own, which dies at the given step. True when it got to the end before. */
async function shipUntil(dir: string, killAt: number): Promise<boolean> {
  const child = spawn(process.execPath, [CHILD, dir, String(killAt)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal]: unknown[] = await once(child, 'exit');
  assert.ok(code === 0 || signal === 'SIGKILL', `the child ended with ${String(code)} ${String(signal)}`);
  return code === 0;
}

function appendGood(journal: EntryFile): void {
  const first = journal.bodies().length + 1;
  journal.append([0, 1, 2, 3].map((index) => sampleEntry(first + index)));
}

/** Every entry of the journal is in the store once or in quarantine, and the sums are equal. */
async function assertSettled(dir: string, journal: EntryFile): Promise<void> {
  const bodies = journal.bodies();
  const good = bodies.flatMap((body, index) => (body === BAD_ENTRY ? [] : [index + 1]));
  const store = await openStore({ path: dir }, { log: keptLog(), clock: systemClock });
  const rows = await store.query<{ seq: number; cost: string }>(
    `SELECT seq, toString(cost) AS cost FROM ${ENTRIES} ORDER BY seq`,
  );
  await store.close();
  assert.deepEqual(
    rows,
    good.map((seq) => ({ seq, cost: String(BigInt(seq) * 1_000_003n) })),
  );
  const bad = bodies.flatMap((body, index) => (body === BAD_ENTRY ? [index + 1] : []));
  assert.deepEqual(await quarantineIn(dir).list(), bad);
}

test('E4: killed at any step of shipping, every entry still arrives once', async () => {
  await using dir = await tempDir();
  const journal = entryFile(join(dir.path, 'journal'));
  let ended = false;
  for (let killAt = 1; !ended; killAt += 1) {
    // New entries before every start: a range cut anew would overlap what was sent.
    appendGood(journal);
    ended = await shipUntil(dir.path, killAt);
    assert.ok(killAt < 100, 'a run has an end');
  }
  await assertSettled(dir.path, journal);
  assert.equal((await boundariesIn(dir.path).read())?.generation, 0, 'nothing was healed by a rebuild');
});

test('killed at any step of setting bad entries aside, every good one still arrives once', async () => {
  await using dir = await tempDir();
  const journal = entryFile(join(dir.path, 'journal'));
  let ended = false;
  for (let killAt = 1; !ended; killAt += 2) {
    appendGood(journal);
    if (killAt % 8 === 1) journal.append([BAD_ENTRY]);
    ended = await shipUntil(dir.path, killAt);
    assert.ok(killAt < 200, 'a run has an end');
  }
  await assertSettled(dir.path, journal);
  const shipping = await boundariesIn(dir.path).read();
  assert.equal(shipping?.generation, 0, 'nothing was healed by a rebuild');
  assert.equal(shipping.quarantined, (await quarantineIn(dir.path).list()).length);
});

test('killed at any step of a rebuild, every entry still arrives once', async () => {
  await using dir = await tempDir();
  const journal = entryFile(join(dir.path, 'journal'));
  appendGood(journal);
  journal.append([BAD_ENTRY]);
  await shipUntil(dir.path, 0);
  await rm(join(dir.path, 'chdb'), { recursive: true });
  let ended = false;
  for (let killAt = 1; !ended; killAt += 2) ended = await shipUntil(dir.path, killAt);
  await assertSettled(dir.path, journal);
  assert.notEqual((await boundariesIn(dir.path).read())?.generation, 0);
});
