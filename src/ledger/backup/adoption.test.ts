import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#std';
import { openDataDir } from '../data-dir.ts';
import { killedAtEachStep } from '../journal/killed.fixture.ts';
import { sampleIntent, seenEntries } from '../journal/sample.fixture.ts';
import { keptLog, sampleEntry } from '../store/sample.fixture.ts';
import { ENTRIES as ENTRY_TABLE } from '../store/schema.ts';
import { openStore, type Store } from '../store/store.ts';
import { adoptNode, listAdopted } from './adoption.ts';
import { shipAdopted } from './adopted-shipping.ts';
import { backUp } from './backup.ts';
import { scratchParent, startNode, stopNode } from './node.fixture.ts';

const ENTRIES = 30;

/** Our node, running, and another one that ended with an attempt in flight. */
async function twoNodes(t: TestContext): Promise<{ dataDir: string; from: string }> {
  const parent = scratchParent(t);
  const [dataDir, from] = [join(parent, 'ours'), join(parent, 'theirs')];
  await startNode(t, dataDir);
  const other = await startNode(t, from);
  for (let n = 1; n <= ENTRIES; n += 1) await other.journal.settle(`call_${n}`, sampleEntry(n));
  await other.journal.begin('call_running', sampleIntent('call_running'));
  await stopNode(other);
  return { dataDir, from };
}

const adopt = (from: string, dataDir: string) => adoptNode({ from, dataDir, clock: systemClock });

test('F17: the journal of a node that ended is kept beside our own, every attempt with its entry, under the next epoch', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  const before = seenEntries(join(from, 'journal'));
  const { nodeId, ...adoption } = await adopt(from, dataDir);
  assert.deepEqual(adoption, { epoch: 2, firstSeq: 1, lastSeq: ENTRIES + 1, inDoubt: 1, fenced: true });
  const [node] = listAdopted(dataDir);
  assert.deepEqual([node?.nodeId, node?.lastSeq], [nodeId, ENTRIES + 1]);
  assert.deepEqual(seenEntries(node?.journalDir ?? ''), [
    ...before,
    { seq: ENTRIES + 1, attempt: 'call_running', state: 'in_doubt' },
  ]);
  assert.deepEqual(seenEntries(join(from, 'journal')), before, 'the other journal is as it was');
});

test('F18: no server starts on what was adopted, and it is adopted once', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  await adopt(from, dataDir);
  await assert.rejects(openDataDir(from), /taken over by another node/);
  await assert.rejects(adopt(from, dataDir), /was adopted already/);
  const third = join(dataDir, '..', 'third');
  await startNode(t, third);
  await assert.rejects(adopt(from, third), /was adopted by node_/);
});

test('F18: a node that runs, a copy of our own, and what is no data directory are not adopted', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  const running = await openDataDir(from);
  await assert.rejects(adopt(from, dataDir), new RegExp(`process ${process.pid}`));
  running.release();
  await assert.rejects(adopt(dataDir, dataDir), /copy of this node's own data/);
  await assert.rejects(adopt(join(from, 'journal'), dataDir), { code: 'not_found' });
  assert.deepEqual(listAdopted(dataDir), []);
});

async function rows(store: Store): Promise<{ node: string; entries: string; cost: string }[]> {
  return store.query(
    `SELECT node_id AS node, toString(count()) AS entries, toString(sum(cost)) AS cost FROM ${ENTRY_TABLE} GROUP BY node_id`,
  );
}

test('F19: the entries of an adopted node are in the store once, under its own id, after a restart and a lost store too', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  const storeDir = join(dataDir, 'store');
  const log = keptLog();
  const deps = { dataDir, storeDir, clock: systemClock, log };
  const expected = String(Array.from({ length: ENTRIES }, (_, n) => n + 1).reduce((sum, n) => sum + n * 1_000_003, 0));
  const store = await openStore({ path: storeDir }, deps);
  const early = shipAdopted({ ...deps, store });
  await early.idle();
  const { nodeId } = await adopt(from, dataDir);
  await early.idle();
  await early.close();
  const all = [{ node: nodeId, entries: String(ENTRIES + 1), cost: expected }];
  assert.deepEqual(await rows(store), all);
  for (const lost of [false, true]) {
    if (lost) await store.forget(nodeId, 0);
    const again = shipAdopted({ ...deps, store });
    await again.idle();
    const [state] = again.states().values();
    assert.deepEqual([state?.through, state?.quarantined], [ENTRIES + 1, 0]);
    await again.close();
    assert.deepEqual(await rows(store), all);
  }
  await store.close();
});

test('F20: an adoption that is killed at any step is done again, and counts once', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  const main = fileURLToPath(new URL('./adopt-main.fixture.ts', import.meta.url));
  const adopted = join(dataDir, 'adopted');
  const kills = await killedAtEachStep(t, {
    steps: 'sampled',
    command: [main, from, dataDir],
    before: () => {
      rmSync(adopted, { recursive: true, force: true });
      rmSync(join(from, 'adopted.json'), { force: true });
    },
    after: async () => {
      if (listAdopted(dataDir).length === 0) await adopt(from, dataDir);
      assert.ok(existsSync(join(from, 'adopted.json')));
      const [node, ...others] = listAdopted(dataDir);
      assert.deepEqual(others, []);
      assert.equal(seenEntries(node?.journalDir ?? '').length, ENTRIES + 1);
      assert.deepEqual(
        readdirSync(adopted).filter((name) => name.endsWith('.partial')),
        [],
      );
    },
  });
  if (kills !== null) assert.ok(kills > 10, `${kills} steps`);
});

test('F21: a backup takes adopted journals along', async (t) => {
  const { dataDir, from } = await twoNodes(t);
  const { nodeId } = await adopt(from, dataDir);
  writeFileSync(join(dataDir, 'adopted', `${nodeId}.json.tmp`), 'half a file');
  const target = join(dataDir, '..', 'backup');
  const { files } = await backUp({ dataDir, target, sealed: 'copied', clock: systemClock });
  const taken = files.map(({ path }) => path).filter((path) => path.startsWith('adopted/'));
  assert.ok(taken.includes(`adopted/${nodeId}/journal/0000000001.log`));
  assert.ok(taken.includes(`adopted/${nodeId}/node.json`));
  assert.ok(!taken.some((path) => path.endsWith('.tmp')));
});
