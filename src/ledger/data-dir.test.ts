import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
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

test('F9: a directory that is opened on another host is of the next epoch, and says where it came from', async (t) => {
  const dir = newDir(t);
  (await openDataDir(dir)).release();
  const node = JSON.parse(readFileSync(join(dir, 'node.json'), 'utf8'));
  assert.equal(node.host, hostname());
  writeFileSync(join(dir, 'node.json'), JSON.stringify({ ...node, host: 'elsewhere' }));
  const moved = await openDataDir(dir);
  moved.release();
  assert.deepEqual([moved.nodeId, moved.epoch, moved.movedFrom], [node.node_id, 2, 'elsewhere']);
  const again = await openDataDir(dir);
  again.release();
  assert.deepEqual([again.epoch, again.movedFrom], [2, null]);
});

test('F9: a directory from before hosts were written down keeps its epoch', async (t) => {
  const dir = newDir(t);
  (await openDataDir(dir)).release();
  const { host: _, ...node } = JSON.parse(readFileSync(join(dir, 'node.json'), 'utf8'));
  writeFileSync(join(dir, 'node.json'), JSON.stringify(node));
  const opened = await openDataDir(dir);
  opened.release();
  assert.deepEqual([opened.nodeId, opened.epoch, opened.movedFrom], [node.node_id, 1, null]);
});

test('F10: a directory whose restore was cut short, or whose entries another node has, is not opened', async (t) => {
  const dir = newDir(t);
  (await openDataDir(dir)).release();
  for (const name of ['restoring.json', 'adopted.json']) {
    writeFileSync(join(dir, name), '{"at":"2026-11-21T00:00:00.000Z"}');
    await assert.rejects(openDataDir(dir), { message: new RegExp(`${name} says .*2026-11-21`) });
    rmSync(join(dir, name));
  }
  (await openDataDir(dir)).release();
});
