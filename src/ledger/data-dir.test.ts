import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openDataDir } from './data-dir.ts';

function newDir(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'apportion-data-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, 'deep', 'data');
}

test('a data directory is made for its owner alone, with a node id', async (t) => {
  const dir = newDir(t);
  const data = await openDataDir(dir);
  assert.match(data.nodeId, /^node_[0-9a-f]{16}$/);
  assert.equal(data.epoch, 1);
  for (const folder of [dir, data.journalDir, data.storeDir]) assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(dir).toSorted(), [
    'journal',
    'lock.db',
    'lock.json',
    'node.json',
    'secret.key',
    'store',
  ]);
  data.release();
});

test('the node id stays the same for the life of the directory', async (t) => {
  const dir = newDir(t);
  const first = await openDataDir(dir);
  first.release();
  const second = await openDataDir(dir);
  second.release();
  assert.deepEqual([second.nodeId, second.epoch, second.createdAt], [first.nodeId, first.epoch, first.createdAt]);
  assert.equal(first.secret.length, 32);
  assert.deepEqual(second.secret, first.secret);
});

test('a second instance on the same directory is refused, naming the first', async (t) => {
  const dir = newDir(t);
  const first = await openDataDir(dir);
  await assert.rejects(openDataDir(dir), { message: new RegExp(`process ${process.pid} \\(gateway\\)`) });
  first.release();
});

test('an identity that cannot be read is refused and the lock given back', async (t) => {
  const dir = newDir(t);
  (await openDataDir(dir)).release();
  writeFileSync(join(dir, 'node.json'), '{"node_id":');
  await assert.rejects(openDataDir(dir), { message: /cannot be read as a node's identity/ });
  rmSync(join(dir, 'node.json'));
  (await openDataDir(dir)).release();
});
