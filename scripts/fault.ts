// `npm run test:fault [-- --kills 1000 --seed 7 --minutes 10] [part of a name …]`: the scenarios of tests/faults, as `npm test` runs them
// but as long as one likes, and one table of what they did and what became of it.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '#std';
import type { ScenarioFigures } from '../tests/faults/figures.ts';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    minutes: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});
const scratch = mkdtempSync(join(tmpdir(), 'apportion-fault-'));
const figuresFile = join(scratch, 'figures.jsonl');
const env = {
  ...process.env,
  APPORTION_FAULT_KILLS: values.kills,
  APPORTION_FAULT_MINUTES: values.minutes,
  APPORTION_TEST_SEED: values.seed,
  APPORTION_FAULT_FIGURES: figuresFile,
};
const repeat = ['npm run test:fault --', `--kills ${values.kills} --seed ${values.seed} --minutes ${values.minutes}`];
const command = [...repeat, ...positionals].join(' ');

const begun = systemClock.elapsedMs();
const files = globSync('tests/faults/*.test.ts', { cwd: root })
  .filter((file) => positionals.length === 0 || positionals.some((part) => basename(file).includes(part)))
  .toSorted();
if (files.length === 0) throw new Error(`no scenario has ${positionals.join(' or ')} in the name of its file`);
print(`${command}\n${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}\n`);
const failed: string[] = [];
for (const file of files) if (!(await runFile(file))) failed.push(file);
const figures = readFigures();
rmSync(scratch, { recursive: true });
if (figures.length > 0) printTable(figures);
const minutes = (systemClock.elapsedMs() - begun) / 60_000;
print(`\n${figures.length > 0 ? `${sumOf(figures)}, ` : ''}in ${minutes.toFixed(1)} minutes\nagain: ${command}`);
if (failed.length > 0) print(`failed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);

async function runFile(file: string): Promise<boolean> {
  const child = spawn(process.execPath, ['--test-reporter=spec', join(root, file)], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  print(`${code === 0 ? '✔' : '✖'} ${basename(file, '.test.ts')}`);
  // What a scenario says of itself, where it is not in the table.
  print(code === 0 ? (output.match(/^ *ℹ .* kills, .*$/gm)?.join('\n') ?? '') : output);
  return code === 0;
}

function readFigures(): readonly ScenarioFigures[] {
  if (!existsSync(figuresFile)) return [];
  return readFileSync(figuresFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ScenarioFigures);
}

function printTable(all: readonly ScenarioFigures[]): void {
  print(`
| scenario | faults | calls | answered | lost | doubled | in doubt | at risk $ | billed $ | settled $ | gateway, ledger |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|`);
  for (const one of all) {
    const { calls, answered, lost, doubled, inDoubt, atRisk, billed, settled } = one;
    const faults = Object.entries(one.faults).map(([name, count]) => `${count} × ${name}`);
    const memory = `${megabytes(one.gatewayBytes)}, ${megabytes(one.ledgerBytes)} MB`;
    const row = [one.scenario, faults.join(', '), calls, answered, lost, doubled, inDoubt, atRisk, billed, settled];
    print(`| ${[...row, memory].join(' | ')} |`);
  }
  for (const { scenario, more } of all)
    for (const [name, figure] of Object.entries(more)) print(`${scenario}: ${name}: ${figure}`);
}

function sumOf(all: readonly ScenarioFigures[]): string {
  const sum = (of: (one: ScenarioFigures) => number): number => all.reduce((total, one) => total + of(one), 0);
  const faults = sum((one) => Object.values(one.faults).reduce((total, count) => total + count, 0));
  return `${faults} faults, ${sum((one) => one.answered)} answered calls, ${sum((one) => one.lost)} lost, ${sum((one) => one.doubled)} doubled`;
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
