import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { until, type Gateway } from '#world';

/** For a test's `skip`: false, or why the processes of a gateway cannot be told apart here. */
export const withoutProc: string | false =
  process.platform === 'linux' ? false : 'processes are found through /proc, which only Linux has';

/** For a test's `skip`: false, or why system calls cannot be made to fail here. */
export const withoutStrace: string | false =
  spawnSync('strace', ['-qq', 'true']).status === 0 ? false : 'strace is not here or may not trace';

/** For a test's `skip`: false, or why no small file system can be mounted here. */
export const withoutMount: string | false =
  process.platform === 'linux' && process.getuid?.() === 0 ? false : 'only root can mount a small file system';

const APPEARS_MS = 30_000;

/** The ledger process that runs now; undefined between the end of one and the start of the next. */
export async function findLedger(gateway: Gateway): Promise<number | undefined> {
  const pid = gateway.pid();
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter(Boolean)) {
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('main-ledger.ts')) return Number(child);
  }
  return undefined;
}

/** Waits for one that is not `before`. */
export function nextLedger(gateway: Gateway, before?: number): Promise<number> {
  return until('a ledger process', APPEARS_MS, async () => {
    const pid = await findLedger(gateway);
    return pid === before ? undefined : pid;
  });
}

/** Stops a process where it stands; resolves when none of its threads runs. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until('the process to stand still', APPEARS_MS, async () => {
    const threads = await readdir(`/proc/${pid}/task`);
    const states = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') T'));
    return (await Promise.all(states)).every((stat) => / T\b/.test(stat.slice(stat.lastIndexOf(')'))))
      ? true
      : undefined;
  });
}

export async function thawLedger(gateway: Gateway): Promise<void> {
  const pid = await findLedger(gateway);
  if (pid !== undefined) process.kill(pid, 'SIGCONT');
}

/** Resident memory in bytes; undefined when the process is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match === null ? undefined : Number(match[1]) * 1024;
}
