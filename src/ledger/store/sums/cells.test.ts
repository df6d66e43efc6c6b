import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { keptLog, sampleEntry, tempDir } from '../sample.fixture.ts';
import { openStore, type Store } from '../store.ts';
import { changeStore } from './change-store.fixture.ts';
import { cellColumnsIn, cellSet } from './cells.ts';
import { CellSets } from './cell-sets.ts';

const NODE = 'node_a';
const AS_OF = { nodeId: NODE, seq: 1000, at: null };
const AT_LAST = { ...AS_OF, seq: 1_000_000 };
const ABOUT = "model = 'a' AND provider = 'b'";

async function open(path: string, sumEntries = 3): Promise<Store> {
  return await openStore({ path }, { log: keptLog(), clock: systemClock, sumEntries });
}

async function ship(store: Store, [first, last]: readonly [number, number], labels?: 'different'): Promise<void> {
  const lines = Array.from({ length: last - first + 1 }, (_, at) => {
    const seq = first + at;
    return Buffer.from(
      `{"node_id":"${NODE}","seq":${seq},${sampleEntry(seq, labels === undefined ? {} : { labels: [`label ${seq}`] }).slice(1)}`,
    );
  });
  await store.insert({ nodeId: NODE, first, last, generation: 0, lines });
  store.reached(NODE, last);
  await store.kept();
}

async function askTwice(store: Store, about = ABOUT): Promise<void> {
  assert.equal(store.cells(about, 'day', AT_LAST), null);
  await store.kept();
  assert.equal(store.cells(about, 'day', AT_LAST), null);
  await store.kept();
}

/** How many entries are in cells. */
async function celled(store: Store, about = ABOUT): Promise<number> {
  const found = store.cells(about, 'day', AT_LAST);
  if (found === null) return 0;
  const [row] = await store.query<{ entries: number }>(
    `SELECT sum(entry_count) AS entries FROM ${found.table} WHERE ${found.cells}`,
  );
  return row?.entries ?? Number.NaN;
}

describe('cells of a store', () => {
  it('are made for what is asked for a second time, from the first entry on, and stay', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    await ship(store, [1, 5]);
    await askTwice(store);
    assert.equal(await celled(store), 5);
    await ship(store, [6, 7]);
    assert.equal(await celled(store), 5, 'too few entries to be summed up');
    await store.close();
    const again = await open(dir.path);
    await ship(again, [8, 8]);
    assert.equal(await celled(again), 8);
    assert.notEqual(again.cells("model = 'a'", 'day', AS_OF), null, 'a part of it');
    assert.equal(again.cells(ABOUT, 'hour', AS_OF), null, 'of finer time');
    assert.equal(again.cells(ABOUT, 'day', { ...AS_OF, seq: 4 }), null, 'a report that shall see less');
    await again.close();
  });

  it('that lost rows do not count any more, and are done again; sums by a dimension stay', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    await ship(store, [1, 5]);
    await askTwice(store);
    const table = store.cells(ABOUT, 'day', AS_OF)?.table;
    await store.close();
    await changeStore(dir.path, `TRUNCATE TABLE ${table}`);
    const again = await open(dir.path);
    assert.equal(await celled(again), 0);
    assert.notEqual(again.sums('model', AS_OF), null);
    await ship(again, [6, 6]);
    assert.equal(await celled(again), 5);
    await again.close();
  });

  it('are gone with their table when rows are taken from the store, and what was read of them does not count', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    await ship(store, [1, 5]);
    await askTwice(store);
    const found = store.cells(ABOUT, 'day', AS_OF);
    assert.equal(found?.stands(), true);
    await store.forget(NODE, 2);
    assert.equal(found.stands(), false);
    const tables = await store.query(`SELECT name FROM system.tables WHERE name = '${found.table}'`);
    assert.deepEqual(tables, []);
    assert.equal(await celled(store), 0);
    await store.close();
  });

  it('stay when a run has nearly as many of them as entries, and go when all have', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path, 1000);
    const about = "label_set = 'a'";
    await ship(store, [1, 2000]);
    await askTwice(store, about);
    await ship(store, [2001, 3100], 'different');
    assert.deepEqual([await celled(store, about), store.cells(about, 'day', AT_LAST)?.count], [3100, 1102]);
    await ship(store, [3101, 6100], 'different');
    assert.equal(store.cells(about, 'day', AT_LAST), null);
    await store.close();
  });

  it('that cannot be made are given up, and sums by a dimension go on', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    await ship(store, [1, 5]);
    await store.close();
    const { table } = cellSet('day', ['model', 'provider']);
    const lacksColumns = 'run UInt64, entry_count UInt64, narrow_cost Int64';
    await changeStore(
      dir.path,
      `CREATE TABLE ${table} (${lacksColumns}) ENGINE = MergeTree ORDER BY run COMMENT 'day'`,
    );
    const again = await open(dir.path);
    await ship(again, [6, 8]);
    assert.match(again.sums('model', AS_OF)?.rest ?? '', /seq > 8/);
    assert.equal(again.cells(ABOUT, 'day', AS_OF), null);
    assert.deepEqual(await again.query(`SELECT name FROM system.tables WHERE name = '${table}'`), []);
    await again.close();
  });

  it('are made of none of what has another value in every entry', async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    await ship(store, [1, 5]);
    for (const about of ['session_id', 'cost', 'tags.`x`.:String', 'tag_provenance.`team`.:String', 'seq'])
      for (const _ of [1, 2, 3]) assert.equal(store.cells(`${about} = 1 AND model = 'a'`, 'day', AS_OF), null);
    await store.kept();
    const tables = await store.query("SELECT name FROM system.tables WHERE startsWith(name, 'cells_')");
    assert.deepEqual(tables, []);
    await store.close();
  });
});

test('columns are found as SQL names them, and not in texts and placeholders', () => {
  const found = (sql: string) => [...(cellColumnsIn(sql) ?? ['none'])].toSorted();
  assert.deepEqual(found("(request_model = {p0:String} OR model = 'seq') AND isNotNull(own_tag_3)"), [
    'model',
    'own_tag_3',
    'request_model',
  ]);
  assert.deepEqual(found("match(label_set, concat('^tags it\\'s seq', {seq:String})) AND toDate(quarter)"), [
    'label_set',
  ]);
  assert.deepEqual(found('latency_ms > 5 AND model = 1'), ['none']);
  assert.deepEqual(found('IN (SELECT corrects FROM entries)'), ['none']);
});

describe('which sets of cells there are', () => {
  const DAY_MS = 86_400_000;
  const columns = (...names: string[]) => new Set(names);

  function setsAt(): { readonly sets: CellSets; readonly wait: (ms: number) => void } {
    let now = 0;
    const clock: Clock = { now: () => now as TimestampMs, elapsedMs: () => now };
    return { sets: new CellSets(clock), wait: (ms) => (now += ms) };
  }

  it('the same columns are the same set, in whatever order', () => {
    assert.equal(cellSet('day', ['b', 'a', 'b']).table, cellSet('day', ['a', 'b']).table);
    assert.notEqual(cellSet('day', ['a']).table, cellSet('hour', ['a']).table);
  });

  it('one that tells apart more does as well, and one of finer time', () => {
    const { sets } = setsAt();
    const [small, fine, large] = [
      cellSet('day', ['a', 'b']),
      cellSet('hour', ['a', 'b']),
      cellSet('hour', ['a', 'b', 'c']),
    ];
    sets.load([small, fine, large]);
    assert.deepEqual(sets.for({ per: 'day', columns: columns('a') }), [small, fine, large]);
    assert.deepEqual(sets.for({ per: 'hour', columns: columns('a', 'b') }), [fine, large]);
    assert.deepEqual(sets.for({ per: 'hour', columns: columns('c') }), [large]);
    assert.deepEqual(sets.for({ per: 'quarter', columns: columns('a') }), []);
  });

  it('one that is not asked for in a week goes; there are 48 at most, and none is made in the place of another', () => {
    const { sets, wait } = setsAt();
    const ask = (name: string) => sets.ask({ per: 'day', columns: columns(name) });
    assert.deepEqual([ask('n0'), ask('n0'), sets.all().length], [false, true, 1]);
    for (let n = 1; n < 60; n += 1) for (const _ of [1, 2]) ask(`n${n}`);
    assert.equal(sets.all().length, 48);
    wait(5 * DAY_MS);
    sets.used(cellSet('day', ['n0']));
    wait(3 * DAY_MS);
    assert.equal(sets.unused().length, 47);
    for (const { table } of sets.unused()) sets.drop(table);
    assert.deepEqual(sets.all(), [cellSet('day', ['n0'])]);
  });

  it('one that is nearly as large as the entries is not made again', () => {
    const { sets } = setsAt();
    const asked = { per: 'day', columns: columns('a') } as const;
    sets.refuse(cellSet('day', ['a']).table);
    assert.deepEqual([sets.ask(asked), sets.ask(asked), sets.ask(asked)], [false, false, false]);
  });
});
