// `npm run check`: types, lint, format and dead code, a line each; the output of those that fail follows.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#std';

type Check = { readonly name: string; readonly command: readonly [string, ...string[]] };

const root = join(import.meta.dirname, '..');

const CHECKS: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  ...(existsSync(join(root, 'dashboard', 'tsconfig.json'))
    ? [{ name: 'types of the dashboard', command: ['tsc', '-p', 'dashboard'] } as const]
    : []),
  { name: 'lint', command: ['oxlint'] },
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
];

let failed = 0;
for (const { name, command } of CHECKS) if (!passes(name, command)) failed += 1;
process.stdout.write(`checks: ${CHECKS.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

function passes(name: string, [tool, ...args]: Check['command']): boolean {
  const started = systemClock.elapsedMs();
  const { status, stdout, stderr, error } = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}` },
  });
  const seconds = ((systemClock.elapsedMs() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name} (${[tool, ...args].join(' ')}, ${seconds} s)\n`);
  if (status !== 0) process.stdout.write(`${stdout}${stderr}${error?.message ?? ''}\n`);
  return status === 0;
}
