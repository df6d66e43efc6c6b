import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** The calls of the system by which a program changes what is on the disk; the tracer counts each kind by itself. */
const EFFECTS = [
  'pwrite64',
  'fdatasync',
  'fsync',
  '/^rename',
  '/^unlink',
  '/^link',
  'ftruncate',
  '/^mkdir',
  'rmdir',
  'copy_file_range',
  'sendfile',
];

const MOST_STEPS = 400;

export type KilledRun = {
  /** Of a program with many changes: each of the first ones, and fewer and fewer of the later ones. */
  readonly steps: 'all' | 'sampled';
  /** The program to run, and its arguments. */
  readonly command: readonly string[];
  before(): void;
  /** Looks at what is left, after each kill and after the run that came to its end. */
  after(): void | Promise<void>;
};

const canTrace = spawnSync('strace', ['-qq', 'true']).status === 0;

/**
 * Runs a program again and again, killed at each of its changes of the disk.
 * @returns how often it was killed; null when that cannot be done here, and the test is skipped
 */
export async function killedAtEachStep(t: TestContext, run: KilledRun): Promise<number | null> {
  if (!canTrace) {
    t.skip('strace is not here or may not trace');
    return null;
  }
  let kills = 0;
  for (const effect of EFFECTS) {
    for (let step = 1; await isKilledAt(`inject=${effect}:signal=SIGKILL:when=${step}`, run); step = next(step, run)) {
      kills += 1;
      assert.ok(kills < MOST_STEPS, `the program has more than ${MOST_STEPS} steps`);
    }
  }
  return kills;
}

function next(step: number, { steps }: KilledRun): number {
  return steps === 'all' ? step + 1 : step * 2;
}

async function isKilledAt(inject: string, run: KilledRun): Promise<boolean> {
  run.before();
  const effects = EFFECTS.join(',');
  const traced = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${effects}`, '-e', inject];
  const { status, signal, stderr } = spawnSync('strace', [...traced, process.execPath, ...run.command]);
  const killed = signal === 'SIGKILL' || status === 137;
  assert.ok(killed || status === 0, `${status} ${signal}: ${stderr.toString()}`);
  await run.after();
  return killed;
}
