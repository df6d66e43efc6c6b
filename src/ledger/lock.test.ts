import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { acquireLock } from './lock.ts';

const NOW_OR_NEVER = { role: 'gateway', waitMs: 0 };

function lockFile(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-lock-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'lock.db');
}

/** Another process that takes the lock and keeps it until it is killed. */
async function holdingProcess(t: TestContext, file: string): Promise<ChildProcess> {
  const code = `
    const { acquireLock } = await import(process.argv[1]);
    await acquireLock(process.argv[2], { role: 'ledger', waitMs: 0 });
    process.send('held');
    setInterval(() => {}, 60_000);`;
  const lock = new URL('./lock.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, lock, file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

test('a lock held by a living process is refused, naming the process and when it started', async (t) => {
  const file = lockFile(t);
  const holder = await holdingProcess(t, file);
  const message = new RegExp(`is locked by process ${holder.pid} \\(ledger\\) on .+, running since 20\\d\\d-.+Z`);
  await assert.rejects(acquireLock(file, NOW_OR_NEVER), { name: 'ApportionError', message });
});

test('a lock whose holder was killed is free', async (t) => {
  const file = lockFile(t);
  const holder = await holdingProcess(t, file);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  (await acquireLock(file, NOW_OR_NEVER)).release();
});

test('waiting for a lock ends when its holder goes', async (t) => {
  const file = lockFile(t);
  const holder = await holdingProcess(t, file);
  const waiting = acquireLock(file, { role: 'ledger', waitMs: 10_000 });
  await assert.rejects(acquireLock(file, { role: 'ledger', waitMs: 1 }), { code: 'journal_unavailable' });
  holder.kill('SIGKILL');
  (await waiting).release();
});

test('a lock is refused to the same process too, until it is released', async (t) => {
  const file = lockFile(t);
  const lock = await acquireLock(file, NOW_OR_NEVER);
  await assert.rejects(acquireLock(file, NOW_OR_NEVER), {
    message: new RegExp(`process ${process.pid} \\(gateway\\)`),
  });
  lock.release();
  lock.release();
  (await acquireLock(file, NOW_OR_NEVER)).release();
});
