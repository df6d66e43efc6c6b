import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Round, RoundResult } from './load.ts';

export type Child = { readonly url: string; readonly pid: number; readonly process: ChildProcess };

/** Every part runs in a process of its own, and says where it listens. */
export async function startChild(file: string, args: readonly string[] = []): Promise<Child> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const early = new AbortController();
  child.once('exit', (code) => early.abort(new Error(`${file} ended at once (exit code ${code})`)));
  const [message]: { url: string }[] = await once(child, 'message', { signal: early.signal });
  return { url: message?.url ?? '', pid: child.pid ?? -1, process: child };
}

export async function runRound(load: Child, round: Round): Promise<RoundResult> {
  load.process.send(round);
  const [answer]: { result?: RoundResult; error?: string }[] = await once(load.process, 'message');
  if (answer?.result === undefined) throw new Error(`the load generator failed: ${answer?.error}`);
  return answer.result;
}

export async function endChild(child: Child): Promise<void> {
  const gone = once(child.process, 'exit');
  child.process.kill('SIGKILL');
  await gone;
}
