import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type SystemCallFault = {
  readonly call: 'fdatasync' | 'pwrite64';
  readonly error: 'EIO' | 'ENOSPC';
  /** Which of a thread's calls fails, counted from now; those after it succeed, as they do on Linux. */
  readonly when: number;
};

/** Makes one system call of a running process fail. Resolves when that is set up; what it gives takes the tracer away. */
export async function failSystemCall(
  pid: number,
  { call, error, when }: SystemCallFault,
): Promise<() => Promise<void>> {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=${when}`, '-e', 'signal=none'];
  const tracer = spawn('strace', ['-f', '-o', '/dev/null', ...inject, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(tracer, 'exit');
  let said = '';
  for await (const piece of tracer.stderr.setEncoding('utf8')) {
    said += String(piece);
    if (said.includes('attached')) break;
  }
  if (!said.includes('attached')) throw new Error(`strace did not attach: ${said}`);
  tracer.stderr.resume();
  return async () => {
    tracer.kill('SIGINT');
    await ended;
  };
}
