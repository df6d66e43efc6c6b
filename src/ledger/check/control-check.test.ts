import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openAccounts, writeSnapshot } from '#accounts';
import { systemClock } from '#std';
import { checkControl } from './control-check.ts';
import { Findings } from './finding.ts';

async function makeControl(t: TestContext): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-control-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const accounts = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  await accounts.bootstrap({});
  await writeSnapshot(join(dir, 'control-snapshot.json'), await accounts.snapshot());
  await accounts.close();
  return dir;
}

async function check(dir: string): Promise<{ readonly found: readonly string[]; readonly revision: number | null }> {
  const findings = new Findings();
  const { revision } = await checkControl(dir, findings);
  return { found: findings.list().map(({ level, place }) => `${level} ${place.file ?? ''}`), revision };
}

test('a sound control plane has no finding', async (t) => {
  assert.deepEqual(await check(await makeControl(t)), { found: [], revision: 1 });
});

test('a snapshot ahead of the database, or one that cannot be read, is named', async (t) => {
  const dir = await makeControl(t);
  const file = join(dir, 'control-snapshot.json');
  const snapshot: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...snapshot, revision: 2 }));
  assert.deepEqual((await check(dir)).found, ['fault control-snapshot.json']);
  writeFileSync(file, '{');
  assert.deepEqual((await check(dir)).found, ['fault control-snapshot.json']);
});

test('a damaged database is named, one that was never made is a notice, and none is made', async (t) => {
  const dir = await makeControl(t);
  const file = join(dir, 'control.db');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(7, 4096, bytes.length / 2));
  assert.ok((await check(dir)).found.includes('fault control.db'));
  for (const name of ['control.db', 'control.db-wal', 'control.db-shm']) rmSync(join(dir, name), { force: true });
  assert.deepEqual((await check(dir)).found, ['notice control.db']);
  assert.throws(() => readFileSync(file), /ENOENT/);
});
