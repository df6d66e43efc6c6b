import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadReport } from './load-main.fixture.ts';

export type LoadOptions = {
  readonly dir: string;
  readonly run: string;
  readonly segmentBytes: number;
  readonly lanes: number;
  /** A command that starts the one given to it (`strace …`); none: started directly. */
  readonly under?: readonly string[];
};

/** What the process was told by the journal, up to its end. */
export type LoadOutcome = {
  readonly begun: ReadonlySet<string>;
  readonly settled: ReadonlySet<string>;
  readonly refused: (LoadReport & { readonly is: 'refused' }) | null;
};

/** Runs load until the disk refuses, or until `killAfter` entries were acknowledged: then it is killed with SIGKILL. */
export async function runLoad(options: LoadOptions, killAfter = Number.MAX_SAFE_INTEGER): Promise<LoadOutcome> {
  const { dir, run, segmentBytes, lanes, under = [] } = options;
  const main = fileURLToPath(new URL('./load-main.fixture.ts', import.meta.url));
  const [command, ...rest] = [...under, process.execPath, main, dir, run, String(segmentBytes), String(lanes)];
  const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const begun = new Set<string>();
  const settled = new Set<string>();
  let refused: LoadOutcome['refused'] = null;
  child.on('message', (report: LoadReport) => {
    if (report.is === 'begun') begun.add(report.attempt);
    if (report.is === 'settled') settled.add(report.attempt);
    if (report.is === 'refused') refused = report;
    if (settled.size === killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return { begun, settled, refused };
}
