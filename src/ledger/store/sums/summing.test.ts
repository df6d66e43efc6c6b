import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { keptLog, sampleEntry, tempDir } from '../sample.fixture.ts';
import { openStore, type Store } from '../store.ts';
import { changeStore } from './change-store.fixture.ts';
import { SUM_RUNS, SUMS } from './schema.ts';

const NODE = 'node_a';

async function open(path: string): Promise<Store> {
  return await openStore({ path }, { log: keptLog(), clock: systemClock, sumEntries: 3 });
}

async function ship(store: Store, first: number, last: number): Promise<void> {
  const lines = Array.from({ length: last - first + 1 }, (_, at) =>
    Buffer.from(`{"node_id":"${NODE}","seq":${first + at},${sampleEntry(first + at).slice(1)}`),
  );
  await store.insert({ nodeId: NODE, first, last, generation: 0, lines });
  store.reached(NODE, last);
  await store.kept();
}

function covered(store: Store, dimension = 'all'): number {
  const rest = store.sums(dimension, { nodeId: NODE, seq: 1000, at: null })?.rest ?? '';
  return Number(/seq > (\d+)/.exec(rest)?.[1] ?? 0);
}

test('entries are summed up as soon as there are enough of them, from the first one on', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await ship(store, 1, 2);
  assert.equal(covered(store), 0);
  await ship(store, 3, 4);
  assert.equal(covered(store), 4);
  await ship(store, 5, 6);
  assert.equal(covered(store), 4);
  assert.equal(store.sums('all', { nodeId: NODE, seq: 3, at: null }), null, 'a report that shall see less');
  await store.close();
  const again = await open(dir.path);
  assert.equal(covered(again), 4);
  await ship(again, 7, 7);
  assert.equal(covered(again), 7);
  await again.close();
});

test('sums of a run that never came to stand are seen by nobody, and leave with the next erasure', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await ship(store, 1, 3);
  await store.close();
  await changeStore(dir.path, `TRUNCATE TABLE ${SUM_RUNS}`);
  const again = await open(dir.path);
  assert.equal(covered(again), 0);
  const runs = async (): Promise<number> => {
    const [row] = await again.query<{ runs: number }>(`SELECT uniqExact(run) AS runs FROM ${SUMS}`);
    return row?.runs ?? Number.NaN;
  };
  await ship(again, 4, 4);
  assert.deepEqual([covered(again), await runs()], [4, 2]);
  await again.forget(NODE, 0);
  assert.deepEqual([covered(again), await runs()], [0, 0]);
  await again.close();
});

test('a run that lost rows does not count any more, and is done again', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await ship(store, 1, 3);
  await store.close();
  await changeStore(dir.path, `ALTER TABLE ${SUMS} DELETE WHERE dimension = 'model' SETTINGS mutations_sync=2`);
  const again = await open(dir.path);
  assert.equal(covered(again), 0);
  await ship(again, 4, 4);
  assert.equal(covered(again), 4);
  await again.close();
});

test('what a newer build sums up as well is caught up with, from the first entry on', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await ship(store, 1, 3);
  await store.close();
  const added = ['cost_state', 'unsettled', 'in_session', 'label', 'tags.customer'];
  const names = added.map((name) => `'${name}'`).join(', ');
  await changeStore(
    dir.path,
    `ALTER TABLE ${SUM_RUNS} UPDATE dimensions = arrayFilter(d -> d NOT IN (${names}), dimensions) WHERE 1 SETTINGS mutations_sync=2`,
  );
  await changeStore(dir.path, `ALTER TABLE ${SUMS} DELETE WHERE dimension IN (${names}) SETTINGS mutations_sync=2`);
  const again = await open(dir.path);
  assert.deepEqual([covered(again), covered(again, 'label')], [3, 0]);
  await ship(again, 4, 6);
  assert.deepEqual(
    ['all', ...added].map((name) => covered(again, name)),
    ['all', ...added].map(() => 6),
  );
  await again.close();
});
