import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';

export type SystemCallFault = {
  readonly call: 'fdatasync' | 'pwrite64';
  readonly error: 'EIO' | 'ENOSPC';
  /** Which of a thread's calls fails, counted from now; those after it succeed, as they do on Linux. */
  readonly when: number;
};

/** Takes the tracer away. */
export type Untrace = () => Promise<void>;

/** Makes one system call of a running process fail. Resolves when that is set up. */
export function failSystemCall(pid: number, { call, error, when }: SystemCallFault): Promise<Untrace> {
  return trace(pid, { call, tampering: `error=${error}:when=${when}` });
}

/** Makes a system call of a running process take longer, as on a slow disk. */
export function slowSystemCall(pid: number, call: SystemCallFault['call'], ms: number): Promise<Untrace> {
  return trace(pid, { call, tampering: `delay_enter=${ms * 1000}` });
}

type Tampering = { readonly call: SystemCallFault['call']; readonly tampering: string };

/** Only the threads that write the journal: a traced thread is slow in all it does. */
const JOURNAL_THREADS: readonly string[] = ['journal', 'libuv-worker'];

async function trace(pid: number, { call, tampering }: Tampering): Promise<Untrace> {
  const threads = await threadsNamed(pid, JOURNAL_THREADS);
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:${tampering}`, '-e', 'signal=none'];
  const tracer = spawn('strace', ['-o', '/dev/null', ...inject, ...threads.flatMap((thread) => ['-p', thread])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(tracer, 'exit');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tracer.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      if (said.match(/ attached/g)?.length === threads.length) resolve();
    });
    tracer.once('exit', () => reject(new Error(`strace did not attach: ${said}`)));
  });
  return async () => {
    tracer.kill('SIGINT');
    await ended;
  };
}

async function threadsNamed(pid: number, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const name = await readFile(`/proc/${pid}/task/${thread}/comm`, 'utf8').catch(() => '');
    if (names.includes(name.trim())) found.push(thread);
  }
  return found;
}
