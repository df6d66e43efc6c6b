// `npm test [-- part of a path …]`: a line per test file, failures where they happen, then what was skipped and why, then
// the sum. Each file is its own process, so that native engines and leaks stay apart.
import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#std';
import { type TestEnd } from './test-reporter.ts';

/** Browsers, kills and load: one at a time, or they measure each other. */
const ALONE = ['tests/dashboard/', 'tests/security/', 'tests/faults/'];

const FILE_TIMEOUT_MS = 10 * 60 * 1000;

type FileResult = { readonly file: string; readonly ends: readonly TestEnd[] };

const root = join(import.meta.dirname, '..');
const reporter = join(import.meta.dirname, 'test-reporter.ts');
const scratch = mkdtempSync(join(tmpdir(), 'apportion-test-'));
const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopAll(signal));

const started = systemClock.elapsedMs();
const wanted = process.argv.slice(2);
const files = globSync(['src/**/*.test.ts', 'tests/**/*.test.ts'], { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();
const alone = files.filter((file) => ALONE.some((folder) => file.startsWith(folder)));
const together = files.filter((file) => !alone.includes(file));
const results = [...(await runFiles(together, Math.min(4, availableParallelism()))), ...(await runFiles(alone, 1))];
rmSync(scratch, { recursive: true, force: true });
process.exit(summarise(results) ? 0 : 1);

async function runFiles(queue: readonly string[], atOnce: number): Promise<FileResult[]> {
  const rest = [...queue];
  const done: FileResult[] = [];
  const lane = async (): Promise<void> => {
    for (let file = rest.shift(); file !== undefined; file = rest.shift()) done.push(await runFile(file));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return done;
}

async function runFile(file: string): Promise<FileResult> {
  const begun = systemClock.elapsedMs();
  const eventsFile = join(scratch, `${file.replaceAll('/', '-')}.jsonl`);
  const args = [`--test-reporter=${reporter}`, `--test-reporter-destination=${eventsFile}`, join(root, file)];
  // Its own process group: what a test leaves behind can be ended with it.
  const child = spawn(process.execPath, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup(child, 'SIGKILL');
  }, FILE_TIMEOUT_MS);
  const end = await new Promise<string>((resolve) => {
    // `exit`, not `close`: a process that a test left behind may hold the pipes open for ever.
    child.once('exit', (code, signal) => resolve(signal ?? String(code)));
    child.once('error', (error) => resolve(error.message));
  });
  clearTimeout(timer);
  endGroup(child, 'SIGKILL');
  running.delete(child);
  const ends = [...readEnds(eventsFile)];
  if (timedOut)
    ends.push({
      name: 'the file ends',
      outcome: 'failed',
      why: `still running after ${FILE_TIMEOUT_MS / 60_000} minutes`,
    });
  else if (end !== '0' && !ends.some(({ outcome }) => outcome === 'failed')) {
    ends.push({ name: 'the file loads and ends', outcome: 'failed', why: `the process ended with ${end}` });
  }
  const result = { file, ends };
  printFile(result, { output, seconds: (systemClock.elapsedMs() - begun) / 1000 });
  return result;
}

function* readEnds(eventsFile: string): Generator<TestEnd> {
  for (const line of readLines(eventsFile)) yield JSON.parse(line) as TestEnd;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // The process ended before its reporter opened the file; its exit code tells the rest.
    return [];
  }
}

function printFile({ file, ends }: FileResult, { output, seconds }: { output: string; seconds: number }): void {
  const failed = ends.filter(({ outcome }) => outcome === 'failed');
  const sum = sumOf(ends);
  print(`${failed.length === 0 ? '✔' : '✖'} ${file}  ${sum}  (${seconds.toFixed(1)} s)`);
  for (const { name, why } of failed) print(`    ✖ ${name}\n${indent(why)}`);
  if (failed.length > 0 && output.trim() !== '')
    print(`    what it printed:\n${indent(output.trimEnd().slice(-8_000))}`);
}

function summarise(all: readonly FileResult[]): boolean {
  const ends = all.flatMap((result) => result.ends);
  const skipped = all.flatMap(({ file, ends: some }) =>
    some.filter(({ outcome }) => outcome === 'skipped').map(({ name, why }) => `  ${file}: ${name} (${why})`),
  );
  if (skipped.length > 0) print(`\nskipped:\n${skipped.join('\n')}`);
  const failed = all.filter((result) => result.ends.some(({ outcome }) => outcome === 'failed'));
  if (failed.length > 0) print(`\nfailed: ${failed.map(({ file }) => file).join(', ')}`);
  if (ends.length === 0) print('no test was found');
  print(`\ntests: ${sumOf(ends)} in ${((systemClock.elapsedMs() - started) / 1000).toFixed(0)} s`);
  return failed.length === 0 && ends.length > 0;
}

function sumOf(ends: readonly TestEnd[]): string {
  const count = (wantedOutcome: TestEnd['outcome']): number =>
    ends.filter(({ outcome }) => outcome === wantedOutcome).length;
  const skipped = count('skipped');
  return `${count('passed')} passed, ${count('failed')} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function stopAll(signal: NodeJS.Signals): void {
  for (const child of running) endGroup(child, 'SIGKILL');
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '      ');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
