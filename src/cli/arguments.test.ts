import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SOMEBODY = 65_534;

type Run = { readonly code: number; readonly err: string };

function apportion(...args: readonly string[]): Promise<Run> {
  const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env }, (_, out, err) => {
      assert.equal(out, '');
      resolve({ code: child.exitCode ?? -1, err });
    });
  });
}

test('what a command does not understand, and what is no data directory, is told in a sentence', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'apportion-arguments-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const file = join(parent, 'file');
  writeFileSync(file, '');
  const asked: readonly (readonly [readonly string[], RegExp])[] = [
    [['doctor', 'extra'], /^"extra" is not understood\.\n/],
    [['clickhouse-schema', 'extra'], /^"extra" is not understood\.\n/],
    [['verify', '--from', '2026-02-30'], /^--from is a day/],
    [['verify', '--from', '2026-11-30', '--to', '2026-11-01'], /^--to is before --from\.\n/],
    [['backup', 'backup.tar.gz'], /^An archive is a \.tar/],
    ...[join(parent, 'none'), file, parent].flatMap((dir) => [
      [['verify', '--data-dir', dir], /is no data directory: it has no node\.json\. Name it with --data-dir/] as const,
      [['backup', '--data-dir', dir, join(parent, 'b')], /is no data directory/] as const,
      [['adopt', '--data-dir', parent, dir], /is no data directory/] as const,
    ]),
    [['restore', '--data-dir', join(file, 'new'), parent], /lies in the backup/],
  ];
  await Promise.all(
    asked.map(async ([args, says]) => {
      const { code, err } = await apportion(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(err, says, args.join(' '));
      assert.doesNotMatch(err, /\n {4}at /, 'no stack');
    }),
  );
});

const root = process.geteuid?.() === 0 ? {} : { skip: 'only root has the files of other users' };

test('root does not make files in the directory of a server that runs as somebody else', root, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-owner-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'journal'));
  for (const name of ['node.json', 'control.db']) {
    writeFileSync(join(dir, name), '');
    chownSync(join(dir, name), SOMEBODY, SOMEBODY);
  }
  for (const args of [
    ['keys', 'reset-admin', '--data-dir', dir],
    ['adopt', '--data-dir', dir, '/'],
  ]) {
    const { code, err } = await apportion(...args);
    assert.equal(code, 2);
    assert.match(err, /is of user 65534, and you are root: .* Run it as that user: sudo -u '#65534'/, args.join(' '));
  }
});
