import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openJournal } from './journal.ts';
import { runLoad } from './load.fixture.ts';
import { sampleDeps, scratchDir, seenEntries } from './sample.fixture.ts';

test('kill -9 under load loses no acknowledged entry, doubles none, and leaves no attempt open', async (t) => {
  const dir = scratchDir(t);
  const begun = new Set<string>();
  const settled = new Set<string>();
  const kills = { run1: 300, run2: 1, run3: 1500, run4: 40 };
  for (const [run, killAfter] of Object.entries(kills)) {
    const outcome = await runLoad({ dir, run, segmentBytes: 64 * 1024, lanes: 16 }, killAfter);
    for (const attempt of outcome.begun) begun.add(attempt);
    for (const attempt of outcome.settled) settled.add(attempt);
  }
  const journal = await openJournal(sampleDeps(dir));
  await journal.close();
  const seen = seenEntries(dir);
  const states = new Map(seen.map(({ attempt, state }) => [attempt, state]));
  assert.equal(states.size, seen.length, 'no attempt has two entries');
  assert.deepEqual(
    seen.map(({ seq }) => seq),
    seen.map((_, index) => index + 1),
  );
  assert.ok(settled.size > 1800);
  for (const attempt of settled) assert.equal(states.get(attempt), 'exact', attempt);
  for (const attempt of begun) assert.ok(states.has(attempt), attempt);
  for (const run of Object.keys(kills)) assert.equal(states.get(`${run}_held`), 'in_doubt', run);
});
