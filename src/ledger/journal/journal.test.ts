import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ApportionError, type EntryId } from '#terms';
import { InvariantError } from '#std';
import { openSample, sampleDeps, sampleEntry, sampleIntent, scratchDir, seenEntries } from './sample.fixture.ts';
import { readSealed } from './sealed-segment.ts';

const isUnavailable = (error: unknown) => error instanceof ApportionError && error.code === 'journal_unavailable';

test('entries come back in the order they were settled, numbered from 1 without a gap', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  const attempts = Array.from({ length: 50 }, (_, index) => `call_${index}`);
  await Promise.all(attempts.map((attempt) => journal.begin(attempt, sampleIntent(attempt))));
  await Promise.all(attempts.map((attempt) => journal.settle(attempt, sampleEntry(attempt))));
  assert.deepEqual(
    seenEntries(dir),
    attempts.map((attempt, index) => ({ seq: index + 1, attempt, state: 'exact' })),
  );
  assert.deepEqual(journal.durable(), { nodeId: 'node_0123456789abcdef', seq: 50 });
  await journal.close();
});

test('numbering goes on after a restart', async (t) => {
  const dir = scratchDir(t);
  for (const attempt of ['call_a', 'call_b']) {
    const journal = await openSample(t, sampleDeps(dir));
    await journal.begin(attempt, sampleIntent(attempt));
    await journal.settle(attempt, sampleEntry(attempt));
    await journal.close();
  }
  assert.deepEqual(seenEntries(dir), [
    { seq: 1, attempt: 'call_a', state: 'exact' },
    { seq: 2, attempt: 'call_b', state: 'exact' },
  ]);
});

test('an entry of no attempt is appended once: the same id again is refused, and the journal goes on', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  const id = 'call_1.1.correction.1' as EntryId;
  await journal.append(id, sampleEntry(id));
  assert.equal(journal.durable().seq, 1);
  await assert.rejects(journal.append(id, sampleEntry(id)), /ends once/);
  await journal.settle('call_2.1', sampleEntry('call_2.1'));
  await journal.close();
  assert.deepEqual(
    seenEntries(dir).map(({ attempt }) => attempt),
    [id, 'call_2.1'],
  );
});

test('an entry whose attempt never began is accepted', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.settle('call_late', sampleEntry('call_late'));
  await journal.close();
  assert.deepEqual(seenEntries(dir), [{ seq: 1, attempt: 'call_late', state: 'exact' }]);
});

test('an intent taken back leaves no entry', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.begin('call_a', sampleIntent('call_a'));
  await journal.cancel('call_a');
  await journal.close();
  const again = await openSample(t, sampleDeps(dir));
  assert.deepEqual(again.recovered, { entries: 0, inDoubt: 0, tornBytes: 0 });
  await again.close();
  assert.deepEqual(seenEntries(dir), []);
});

test('an attempt that begins or ends twice is a bug of that call alone', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.begin('call_a', sampleIntent('call_a'));
  await assert.rejects(journal.begin('call_a', sampleIntent('call_a')), InvariantError);
  await journal.settle('call_a', sampleEntry('call_a'));
  await assert.rejects(journal.settle('call_a', sampleEntry('call_a')), InvariantError);
  await journal.settle('call_b', sampleEntry('call_b'));
  await journal.close();
  assert.deepEqual(seenEntries(dir), [
    { seq: 1, attempt: 'call_a', state: 'exact' },
    { seq: 2, attempt: 'call_b', state: 'exact' },
  ]);
});

test('a segment over its size is followed by another, and nothing is lost between them', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 4096 });
  await journal.begin('call_open', sampleIntent('call_open'));
  const run = async (name: string) => {
    for (let n = 0; n < 50; n += 1) {
      await journal.begin(`${name}_${n}`, sampleIntent(`${name}_${n}`));
      await journal.settle(`${name}_${n}`, sampleEntry(`${name}_${n}`));
    }
  };
  await Promise.all(['call_a', 'call_b', 'call_c', 'call_d'].map(run));
  await journal.close();
  assert.ok(readdirSync(dir).filter((name) => name.endsWith('.log')).length > 5);
  const seen = seenEntries(dir);
  assert.deepEqual(
    seen.map(({ seq }) => seq),
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  assert.equal(new Set(seen.map(({ attempt }) => attempt)).size, 200);
  const again = await openSample(t, sampleDeps(dir));
  assert.equal(again.recovered.inDoubt, 1);
  await again.close();
  assert.deepEqual(seenEntries(dir).at(-1), { seq: 201, attempt: 'call_open', state: 'in_doubt' });
});

test('each sync tells its listeners how far the journal is durable, until they leave', async (t) => {
  const journal = await openSample(t, sampleDeps(scratchDir(t)));
  const told: number[] = [];
  const leave = journal.onDurable(({ seq }) => told.push(seq));
  await journal.settle('call_a', sampleEntry('call_a'));
  await journal.settle('call_b', sampleEntry('call_b'));
  leave();
  await journal.settle('call_c', sampleEntry('call_c'));
  await journal.close();
  assert.deepEqual(told, [1, 2]);
});

test('when too much waits for the disk, more is refused and what waits is kept', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), queueEntries: 3 });
  const attempts = ['call_a', 'call_b', 'call_c', 'call_d'];
  const settled = await Promise.allSettled(attempts.map((attempt) => journal.settle(attempt, sampleEntry(attempt))));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
  await journal.settle('call_d', sampleEntry('call_d'));
  await journal.close();
  assert.deepEqual(
    seenEntries(dir).map(({ attempt }) => attempt),
    attempts,
  );
});

test('closing syncs what was accepted, refuses what comes after, and may be repeated', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  const settled = journal.settle('call_a', sampleEntry('call_a'));
  const closed = journal.close();
  await assert.rejects(journal.begin('call_b', sampleIntent('call_b')), isUnavailable);
  await Promise.all([settled, closed, journal.close()]);
  assert.equal(journal.state(), 'closed');
  assert.deepEqual(seenEntries(dir), [{ seq: 1, attempt: 'call_a', state: 'exact' }]);
});

test('a megabyte entry is as good as a small one', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  const large = `${sampleIntent('call_a').slice(0, -1)},"cost_state":"exact","usage_raw":"${'ü'.repeat(1_000_000)}"}`;
  await journal.settle('call_a', large);
  await journal.settle('call_b', sampleEntry('call_b'));
  await journal.close();
  assert.equal(seenEntries(dir).length, 2);
});

test('F4: rotating seals everything settled before, keeps running attempts, and does nothing where nothing was written', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, sampleDeps(dir));
  await journal.begin('call_running', sampleIntent('call_running'));
  const settled = Array.from({ length: 50 }, (_, n) => journal.settle(`call_${n}`, sampleEntry(`call_${n}`)));
  const sealed = await Promise.all([journal.rotate(), journal.rotate()]);
  await Promise.all(settled);
  assert.deepEqual(sealed, [1, 1]);
  const inSealed = readSealed(dir, 1);
  assert.deepEqual([inSealed.header.first_seq, inSealed.lastSeq], [1, 50]);
  await journal.settle('call_running', sampleEntry('call_running'));
  const second = journal.rotate();
  const after = journal.settle('call_after', sampleEntry('call_after'));
  assert.equal(await second, 2);
  await after;
  await journal.close();
  assert.deepEqual(
    seenEntries(dir).map(({ seq, state }) => [seq, state]),
    Array.from({ length: 52 }, (_, index) => [index + 1, 'exact']),
  );
  await assert.rejects(journal.rotate(), { code: 'journal_unavailable' });
});

test('F4: rotating while many write loses nothing and doubles nothing', async (t) => {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 20_000 });
  const lane = async (name: string) => {
    for (let n = 0; n < 60; n += 1) {
      await journal.begin(`${name}_${n}`, sampleIntent(`${name}_${n}`));
      await journal.settle(`${name}_${n}`, sampleEntry(`${name}_${n}`));
      if (n % 10 === 0) await journal.rotate();
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(lane));
  await journal.close();
  const seen = seenEntries(dir);
  assert.equal(seen.length, 240);
  assert.equal(new Set(seen.map(({ attempt }) => attempt)).size, 240);
});
