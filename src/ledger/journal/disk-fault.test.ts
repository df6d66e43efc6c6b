import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openJournal } from './journal.ts';
import { runLoad, type LoadOutcome } from './load.fixture.ts';
import {
  NODE_ID,
  openSample,
  sampleDeps,
  sampleEntry,
  sampleIntent,
  scratchDir,
  seenEntries,
} from './sample.fixture.ts';
import { readMark } from './synced-mark.ts';

const LOAD = { run: 'run', segmentBytes: 1024 * 1024 * 1024, lanes: 8 };

const REFUSED = { is: 'refused', code: 'journal_unavailable', again: 'journal_unavailable', state: 'failed' };

const canTrace = spawnSync('strace', ['-qq', 'true']).status === 0;
const TRACED = { skip: canTrace ? false : 'strace is not here or may not trace' };

/** Once the disk is well again, everything acknowledged is there and every attempt has its one entry. */
async function assertRecovers(dir: string, outcome: LoadOutcome): Promise<void> {
  assert.deepEqual(outcome.refused, REFUSED);
  assert.ok(outcome.settled.size > 0);
  const journal = await openJournal(sampleDeps(dir));
  await journal.close();
  const seen = seenEntries(dir);
  const states = new Map(seen.map(({ attempt, state }) => [attempt, state]));
  assert.equal(states.size, seen.length);
  for (const attempt of outcome.settled) assert.equal(states.get(attempt), 'exact', attempt);
  for (const attempt of outcome.begun) assert.ok(states.has(attempt), attempt);
}

test('a write that the kernel cuts short stops the journal, and the next open recovers', async (t) => {
  const dir = scratchDir(t);
  // 400 blocks of 512 bytes: the write that crosses the limit is short, the next one fails with EFBIG.
  const under = ['sh', '-c', 'ulimit -f 400; exec "$@"', 'sh'];
  await assertRecovers(dir, await runLoad({ ...LOAD, dir, under }));
});

test('a full disk stops the journal, and the next open with room recovers', async (t) => {
  const dir = join(scratchDir(t), 'small');
  mkdirSync(dir);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir]).status === 0;
  if (!mounted) return t.skip('only root can mount a small file system');
  try {
    const outcome = await runLoad({ ...LOAD, dir });
    assert.equal(spawnSync('mount', ['-o', 'remount,size=8m', dir]).status, 0);
    await assertRecovers(dir, outcome);
  } finally {
    spawnSync('umount', [dir]);
  }
});

test('a sync that fails stops the journal and is not tried again', TRACED, async (t) => {
  const dir = scratchDir(t);
  const trace = join(dir, 'trace.txt');
  const under = [
    'strace',
    '-f',
    '-qq',
    '-o',
    trace,
    '-e',
    'trace=fdatasync',
    '-e',
    'inject=fdatasync:error=EIO:when=25',
  ];
  const outcome = await runLoad({ ...LOAD, dir, under });
  const synced = new Set(seenEntries(dir).map(({ attempt }) => attempt));
  for (const attempt of outcome.settled) assert.ok(synced.has(attempt), `${attempt} was acknowledged before its sync`);
  assert.match(readFileSync(trace, 'utf8').trimEnd().split('\n').at(-1) ?? '', /INJECTED/);
  await assertRecovers(dir, outcome);
});

test(
  'what a failed sync may have left in memory only is written again before the next open says it is ready',
  TRACED,
  async (t) => {
    const dir = scratchDir(t);
    const journal = await openSample(t, sampleDeps(dir));
    await journal.settle('call_a', sampleEntry('call_a'));
    const copy = join(dir, 'copy');
    await journal.begin('call_b', sampleIntent('call_b'));
    mkdirSync(copy);
    for (const name of ['0000000001.log', 'synced.mark']) copyFileSync(join(dir, name), join(copy, name));
    const syncedTo = readMark(copy)?.offset;
    const size = statSync(join(copy, '0000000001.log')).size;
    const code = `
    const { recoverJournal } = await import(process.argv[2]);
    recoverJournal({ dir: process.argv[3], nodeId: process.argv[4], epoch: 1 }, 0);`;
    const { href } = new URL('./recovery.ts', import.meta.url);
    const calls = tracedCalls(t, code, [href, copy, NODE_ID]);
    assert.match(calls[0] ?? '', new RegExp(`pwrite64\\(.*, ${size - (syncedTo ?? 0)}, ${syncedTo}\\)`));
    assert.match(calls.at(-1) ?? '', /fdatasync\(.*= 0/);
  },
);

test('a file is synced before the next one is made, and when the journal closes', TRACED, (t) => {
  const dir = scratchDir(t);
  const code = `
    const { openJournal } = await import(process.argv[2]);
    const clock = { now: () => 0, elapsedMs: () => 0 };
    const journal = await openJournal({ dir: process.argv[3], nodeId: 'node_a', clock, segmentBytes: 100 });
    for (let n = 0; n < 20; n += 1) await journal.begin('call_' + n, '{"some":"intent"}');
    await journal.close();`;
  const { href } = new URL('./journal.ts', import.meta.url);
  const calls = tracedCalls(t, code, [href, dir]);
  const renames = calls.flatMap((call, index) => (call.includes('rename(') ? [index] : [])).slice(1);
  assert.ok(renames.length > 3);
  for (const [segment, end] of [...renames, calls.length].entries()) {
    const file = `${String(segment + 1).padStart(10, '0')}.log>`;
    const last = calls.slice(0, end).findLast((call) => call.includes(file));
    assert.match(last ?? '', /fdatasync\(/, file);
  }
});

test('the mark enters a new file only when the name of the file is on disk', TRACED, (t) => {
  const dir = scratchDir(t);
  const code = `
    const { openJournal } = await import(process.argv[2]);
    const clock = { now: () => 0, elapsedMs: () => 0 };
    const journal = await openJournal({ dir: process.argv[3], nodeId: 'node_a', clock, segmentBytes: 400 });
    for (let n = 0; n < 20; n += 1) await journal.settle('call_' + n, '{"some":"entry"}');
    await journal.rotate();
    await journal.close();`;
  const { href } = new URL('./journal.ts', import.meta.url);
  const tracing = ['-f', '-qq', '-y', '-e', 'trace=pwrite64,fsync,rename', '-e', 'signal=none', '-s', '200'];
  const main = join(scratchDir(t), 'main.mjs');
  writeFileSync(main, code);
  const { status, stderr } = spawnSync('strace', [...tracing, process.execPath, main, href, dir], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const steps = stderr.split('\n').flatMap((line) => {
    if (line.includes('rename(') && line.includes('.log')) return ['named'];
    if (line.includes('synced.mark>')) return ['marked'];
    return line.includes('fsync(') && line.includes(`<${dir}>)`) ? ['folder synced'] : [];
  });
  const renames = steps.flatMap((step, index) => (step === 'named' ? [index] : []));
  assert.ok(renames.length > 3);
  for (const index of renames) assert.equal(steps[index + 1], 'folder synced', steps.join(', '));
});

/** Runs the code under strace: its writes, syncs and renames of segments in order. */
function tracedCalls(t: TestContext, code: string, parameters: readonly string[]): string[] {
  const tracing = ['-f', '-qq', '-y', '-e', 'trace=pwrite64,fdatasync,rename', '-e', 'signal=none', '-s', '200'];
  const main = join(scratchDir(t), 'main.mjs');
  writeFileSync(main, code);
  const program = [process.execPath, main, ...parameters];
  const { status, stderr } = spawnSync('strace', [...tracing, ...program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stderr.split('\n').filter((line) => line.includes('.log'));
}
