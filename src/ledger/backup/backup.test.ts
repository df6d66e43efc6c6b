import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#std';
import { openDataDir } from '../data-dir.ts';
import { compressAll } from '../journal/written.fixture.ts';
import { openJournal } from '../journal/journal.ts';
import { killedAtEachStep } from '../journal/killed.fixture.ts';
import { sampleEntry, sampleIntent, seenEntries } from '../journal/sample.fixture.ts';
import { backUp, type BackupRequest } from './backup.ts';
import { parseManifest, type BackupManifest } from './manifest.ts';
import { settleCalls, scratchParent, startNode, stopNode } from './node.fixture.ts';
import { restoreBackup } from './restore.ts';

const ENTRIES = 40;

/** A stopped node with entries 1 to 40 in several segments. */
async function stoppedNode(t: TestContext): Promise<{ parent: string; dir: string }> {
  const parent = scratchParent(t);
  const dir = join(parent, 'data');
  const node = await startNode(t, dir);
  await settleCalls(node.journal, 1, ENTRIES);
  await stopNode(node);
  return { parent, dir };
}

function request(dir: string, target: string): BackupRequest {
  return { dataDir: dir, target, sealed: 'copied', clock: systemClock };
}

const journalOf = (dir: string): string => join(dir, 'journal');
const main = fileURLToPath(new URL('./backup-main.fixture.ts', import.meta.url));

test('F11: a backup of a running node holds every entry acknowledged before it, and none after its number', async (t) => {
  const parent = scratchParent(t);
  const dir = join(parent, 'data');
  const node = await startNode(t, dir);
  await settleCalls(node.journal, 1, ENTRIES);
  await node.journal.begin('call_running', sampleIntent('call_running'));
  const stop = new AbortController();
  const load = (async () => {
    for (let n = ENTRIES + 1; !stop.signal.aborted; n += 1) await settleCalls(node.journal, n, n);
  })();
  const before = node.journal.durable().seq;
  const manifest = await backUp(request(dir, join(parent, 'backup')));
  stop.abort();
  await load;
  assert.equal(manifest.server, 'running');
  assert.ok(manifest.seq >= before && before >= ENTRIES);
  restoreBackup({ backup: join(parent, 'backup'), dataDir: join(parent, 'restored'), clock: systemClock });
  const original = seenEntries(journalOf(dir));
  assert.deepEqual(seenEntries(journalOf(join(parent, 'restored'))), original.slice(0, manifest.seq));
});

for (const [kind, target] of [
  ['folder', 'backup'],
  ['archive', 'backup.tar'],
] as const) {
  test(`F12: a restored ${kind} is the node it was, under the next epoch, and goes on`, async (t) => {
    const { parent, dir } = await stoppedNode(t);
    compressAll(journalOf(dir));
    const manifest = await backUp(request(dir, join(parent, target)));
    assert.deepEqual([manifest.server, manifest.first_seq, manifest.seq, manifest.epoch], ['stopped', 1, ENTRIES, 1]);
    assert.equal(statSync(join(parent, target)).mode & 0o077, 0, 'it holds the secret');
    const restored = join(parent, 'restored');
    assert.equal(restoreBackup({ backup: join(parent, target), dataDir: restored, clock: systemClock }).epoch, 2);
    for (const name of ['secret.key', 'chain/roots.jsonl'])
      assert.deepEqual(readFileSync(join(restored, name)), readFileSync(join(dir, name)));
    const control = new DatabaseSync(join(restored, 'control.db'));
    assert.deepEqual(control.prepare('SELECT id FROM keys').all().length, 1);
    control.close();
    const node = await startNode(t, restored);
    await settleCalls(node.journal, ENTRIES + 1, ENTRIES + 1);
    await stopNode(node);
    assert.deepEqual([node.dataDir.nodeId, node.dataDir.epoch], [manifest.node_id, 2]);
    assert.deepEqual(
      seenEntries(journalOf(restored)).map(({ seq }) => seq),
      Array.from({ length: ENTRIES + 1 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      readdirSync(parent).toSorted(),
      ['data', 'restored', target].toSorted(),
      'nothing is left lying about',
    );
  });
}

test('F12: attempts that ran when the backup was taken are in doubt in what is restored', async (t) => {
  const parent = scratchParent(t);
  const dir = join(parent, 'data');
  const node = await startNode(t, dir);
  await node.journal.begin('call_running', sampleIntent('call_running'));
  await settleCalls(node.journal, 1, 3);
  await backUp(request(dir, join(parent, 'backup')));
  await node.journal.settle('call_running', sampleEntry('call_running'));
  const restored = join(parent, 'restored');
  restoreBackup({ backup: join(parent, 'backup'), dataDir: restored, clock: systemClock });
  const opened = await startNode(t, restored);
  await stopNode(opened);
  assert.deepEqual(seenEntries(journalOf(restored)).at(-1), { seq: 4, attempt: 'call_running', state: 'in_doubt' });
});

test('F13: every tar tool reads the archive, its manifest first', async (t) => {
  if (spawnSync('tar', ['--version']).status !== 0) return t.skip('tar is not here');
  const { parent, dir } = await stoppedNode(t);
  const manifest = await backUp(request(dir, join(parent, 'backup.tar')));
  const listed = spawnSync('tar', ['-tf', join(parent, 'backup.tar')], { encoding: 'utf8' });
  assert.equal(listed.status, 0, listed.stderr);
  assert.deepEqual(listed.stdout.trimEnd().split('\n'), ['manifest.json', ...manifest.files.map(({ path }) => path)]);
  mkdirSync(join(parent, 'unpacked'));
  assert.equal(spawnSync('tar', ['-xf', join(parent, 'backup.tar'), '-C', join(parent, 'unpacked')]).status, 0);
  restoreBackup({ backup: join(parent, 'unpacked'), dataDir: join(parent, 'restored'), clock: systemClock });
  assert.equal(seenEntries(journalOf(join(parent, 'restored'))).length, ENTRIES);
});

test('F13: linked, sealed segments take no second place on the disk, and the one being written is a copy', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  await backUp({ ...request(dir, join(parent, 'backup')), sealed: 'linked' });
  const links = readdirSync(journalOf(dir))
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => statSync(join(dir, 'journal', name)).nlink);
  assert.ok(links.length > 3);
  assert.deepEqual(links, [...links.slice(1).map(() => 2), 1]);
});

test('F14: a changed byte in any file of a backup is found, and no server starts on what was restored until then', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  const backup = join(parent, 'backup');
  const manifest = await backUp(request(dir, backup));
  for (const path of ['manifest.json', ...manifest.files.map((file) => file.path)]) {
    const whole = readFileSync(join(backup, path));
    for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
      const garbled = Buffer.from(whole);
      garbled[at] = (garbled[at] ?? 0) ^ 1;
      writeFileSync(join(backup, path), garbled);
      const restored = join(parent, 'restored');
      assert.throws(() => restoreBackup({ backup, dataDir: restored, clock: systemClock }), /cannot be used/, path);
      if (existsSync(restored)) await assert.rejects(openDataDir(restored), /restore into this directory/);
      rmSync(restored, { recursive: true, force: true });
    }
    rmSync(join(backup, path));
    assert.throws(
      () => restoreBackup({ backup, dataDir: join(parent, 'restored'), clock: systemClock }),
      /cannot be used/,
      path,
    );
    rmSync(join(parent, 'restored'), { recursive: true, force: true });
    writeFileSync(join(backup, path), whole);
  }
});

test('F14: an archive that is cut short anywhere, or damaged in a header, is refused', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  const backup = join(parent, 'backup.tar');
  await backUp(request(dir, backup));
  const whole = readFileSync(backup);
  const refused = (what: string): void => {
    const restored = join(parent, 'restored');
    assert.throws(() => restoreBackup({ backup, dataDir: restored, clock: systemClock }), /cannot be used/, what);
    rmSync(restored, { recursive: true, force: true });
  };
  for (let size = 0; size < whole.length - 1024; size += 997) {
    truncateSync(backup, size);
    refused(`cut at ${size}`);
    writeFileSync(backup, whole);
  }
  for (const at of [3, 126, 150, 515, 700]) {
    const garbled = Buffer.from(whole);
    garbled[at] = (garbled[at] ?? 0) ^ 1;
    writeFileSync(backup, garbled);
    refused(`flipped at ${at}`);
  }
});

test('F14: a manifest that points out of the directory is refused', () => {
  const manifest = { path: 'a', bytes: 0, sha256: '0'.repeat(64) };
  for (const path of ['../a', '/a', 'a/../../b', 'a//b', '.', '..', 'a\\b', '']) {
    const json = `${JSON.stringify({ files: [{ ...manifest, path }] })}\n`;
    assert.throws(() => parseManifest(json, 'here'), /cannot be used/, path);
  }
});

test('F15: nothing is written over: neither a backup nor a directory that has something in it', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  await backUp(request(dir, join(parent, 'backup')));
  await assert.rejects(backUp(request(dir, join(parent, 'backup'))), { code: 'conflict' });
  const restore = (dataDir: string) => restoreBackup({ backup: join(parent, 'backup'), dataDir, clock: systemClock });
  assert.throws(() => restore(dir), { code: 'conflict' });
  assert.equal(seenEntries(journalOf(dir)).length, ENTRIES);
  mkdirSync(join(parent, 'empty'));
  restore(join(parent, 'empty'));
  assert.throws(() => restoreBackup({ backup: join(parent, 'no'), dataDir: join(parent, 'x'), clock: systemClock }), {
    code: 'not_found',
  });
  await assert.rejects(backUp(request(parent, join(parent, 'another'))), { code: 'not_found' });
});

test('F15: a backup is never made inside the data directory, nor restored into itself', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  symlinkSync(dir, join(parent, 'link'));
  for (const target of [
    join(dir, 'backup'),
    join(dir, 'journal', 'deep', 'backup.tar'),
    join(parent, 'link', 'backup'),
  ])
    await assert.rejects(backUp(request(dir, target)), { code: 'conflict', message: /lies in the data directory/ });
  const backup = join(parent, 'backup');
  await backUp(request(dir, backup));
  const inside = { backup, dataDir: join(backup, 'data'), clock: systemClock };
  assert.throws(() => restoreBackup(inside), { code: 'conflict', message: /lies in the backup/ });
  restoreBackup({ ...inside, dataDir: `${backup}-data` });
});

test('F10: no server starts on a backup: it stays as it is, and the answer names the command that makes a directory of it', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  const backup = join(parent, 'backup');
  await backUp(request(dir, backup));
  const before = readdirSync(backup);
  await assert.rejects(openDataDir(backup), {
    code: 'journal_unavailable',
    message: `${backup} is a backup, and stays as it is.`,
    hint: `Make a data directory of it: apportion restore --data-dir NEW_DIR ${backup}`,
  });
  assert.deepEqual(readdirSync(backup), before);
});

test('F16: a backup that is killed at any step leaves the node as it was, and the next one is whole', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  const target = join(parent, 'backup.tar');
  const before = seenEntries(journalOf(dir));
  const kills = await killedAtEachStep(t, {
    steps: 'sampled',
    command: [main, 'backup', dir, target],
    before: () => rmSync(target, { force: true }),
    after: () => {
      assert.deepEqual(seenEntries(journalOf(dir)), before);
      // Whatever has the name is whole.
      if (existsSync(target)) restoreOnce(parent, target);
    },
  });
  if (kills === null) return;
  assert.ok(kills > 12, `${kills} steps`);
  assert.deepEqual(readdirSync(parent).toSorted(), ['backup.tar', 'data']);
});

function restoreOnce(parent: string, backup: string): void {
  const { manifest } = restoreBackup({ backup, dataDir: join(parent, 'restored'), clock: systemClock });
  assert.equal(manifest.seq, ENTRIES);
  rmSync(join(parent, 'restored'), { recursive: true });
}

test('F16: a restore that is killed at any step opens for no server, and the next one is whole', async (t) => {
  const { parent, dir } = await stoppedNode(t);
  const backup = join(parent, 'backup');
  const restored = join(parent, 'restored');
  const manifest: BackupManifest = await backUp(request(dir, backup));
  const kills = await killedAtEachStep(t, {
    steps: 'sampled',
    command: [main, 'restore', backup, restored],
    before: () => rmSync(restored, { recursive: true, force: true }),
    after: async () => {
      const fenced = existsSync(join(restored, 'restoring.json'));
      if (fenced) await assert.rejects(openDataDir(restored), /restore into this directory/);
      const begun = existsSync(join(restored, 'node.json'));
      if (fenced || !begun) restoreBackup({ backup, dataDir: restored, clock: systemClock });
      const node = await openDataDir(restored);
      const journal = await openJournal({ ...node, dir: node.journalDir, clock: systemClock });
      await journal.close();
      node.release();
      assert.deepEqual([node.nodeId, node.epoch], [manifest.node_id, 2]);
      assert.equal(seenEntries(journalOf(restored)).length, ENTRIES);
    },
  });
  if (kills !== null) assert.ok(kills > 12, `${kills} steps`);
});
