import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { ApportionError, LIMITS } from '#terms';
import { BatchRejected } from './rejection.ts';
import { keptLog, rowOf, sampleEntry, tempDir, type Sample } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { openStore, type Store } from './store.ts';
import type { Batch } from './insert.ts';

const NODE = 'node_a';
/** Busy until it is killed: it would take hours. */
const ENDLESS = 'SELECT sum(cityHash64(number)) AS s FROM numbers(1000000000000)';

async function open(path: string, log = keptLog()): Promise<Store> {
  return await openStore({ path }, { log, clock: systemClock });
}

function batch(
  first: number,
  samples: readonly Sample[],
  generation = 0,
): Batch & { readonly lines: readonly Buffer[] } {
  const lines = samples.map((sample, index) => {
    const seq = first + index;
    return rowOf(NODE, { seq, body: Buffer.from(sampleEntry(seq, sample)) });
  });
  return { nodeId: NODE, first, last: first + samples.length - 1, generation, lines };
}

test('a batch sent three times counts once, also after the store was closed and opened', async () => {
  await using dir = await tempDir();
  const sent = batch(1, [{ cost: 5n }, { cost: 7n }]);
  const store = await open(dir.path);
  await store.insert(sent);
  await store.insert(sent);
  await store.close();
  const again = await open(dir.path);
  await again.insert(sent);
  assert.deepEqual(await again.totals(NODE, { first: 1, last: 2 }), { entries: 2, cost: 12n });
  assert.deepEqual(await again.ranges(NODE), { count: 2, lastSeq: 2 });
  await again.close();
});

test('a batch over a month boundary lands in two parts and is still recognised', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const sent = batch(1, [
    { startedAt: Date.UTC(2026, 8, 30), cost: 1n },
    { startedAt: Date.UTC(2026, 9, 1), cost: 2n },
    { startedAt: Date.UTC(2010, 0, 1), cost: 4n },
  ]);
  await store.insert(sent);
  await store.insert(sent);
  assert.deepEqual(await store.totals(NODE, { first: 1, last: 3 }), { entries: 3, cost: 7n });
  await store.close();
});

test('different batches with equal rows are both kept', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await store.insert(batch(1, [{ cost: 5n }]));
  await store.insert({ ...batch(1, [{ cost: 5n }]), first: 2, last: 2 });
  assert.deepEqual((await store.ranges(NODE)).count, 2);
  await store.close();
});

test('rows that were deleted can be sent anew only as another generation', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await store.insert(batch(1, [{ cost: 5n }]));
  await store.forget(NODE, 0);
  assert.deepEqual(await store.ranges(NODE), { count: 0, lastSeq: 0 });
  await store.insert(batch(1, [{ cost: 5n }]));
  assert.deepEqual((await store.ranges(NODE)).count, 0);
  await store.insert(batch(1, [{ cost: 5n }], 1));
  assert.deepEqual((await store.ranges(NODE)).count, 1);
  await store.close();
});

test('sums pass the limit of 64 bits without wrapping, and an unknown cost adds nothing', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const most = 2n ** 63n - 1n;
  await store.insert(batch(1, [{ cost: most }, { cost: most }, { cost: most }, { cost: null }, { cost: -1n }]));
  assert.deepEqual(await store.totals(NODE, { first: 1, last: 5 }), { entries: 5, cost: 3n * most - 1n });
  assert.deepEqual(await store.totals(NODE, { first: 4, last: 4 }), { entries: 1, cost: 0n });
  const rows = await store.query(`SELECT toString(sum(cost)) AS cost FROM ${ENTRIES} GROUP BY provider`);
  assert.deepEqual(rows, [{ cost: String(3n * most - 1n) }]);
  await store.close();
});

test('a batch with one bad row is refused whole and leaves nothing behind', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const good = batch(1, [{}, {}, {}]);
  const bad = Buffer.from(`{"node_id":"${NODE}","seq":2,"effective_at":"no time at all"}`);
  const mixed = { ...good, lines: good.lines.map((line, index) => (index === 1 ? bad : line)) };
  await assert.rejects(store.insert(mixed), BatchRejected);
  assert.deepEqual((await store.ranges(NODE)).count, 0);
  await store.insert(good);
  assert.deepEqual((await store.ranges(NODE)).count, 3);
  await store.close();
});

test('a batch of the largest size is one block: refused whole for its last row, and one part when it is in', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const padding = 'x'.repeat(Math.floor(LIMITS.shipmentBytes / LIMITS.shipmentEntries) - 1_500);
  const good = batch(
    1,
    Array.from({ length: LIMITS.shipmentEntries }, () => ({ startedAt: Date.UTC(2026, 9, 31), tags: { padding } })),
  );
  const bad = Buffer.from(`{"node_id":"${NODE}","seq":${good.last},"cost":"a lot"}`);
  await assert.rejects(store.insert({ ...good, lines: [...good.lines.slice(0, -1), bad] }), BatchRejected);
  assert.deepEqual((await store.ranges(NODE)).count, 0);
  await store.insert(good);
  const parts = await store.query<{ rows: number }>(
    `SELECT toUInt32(rows) AS rows FROM system.parts WHERE database = currentDatabase() AND table = '${ENTRIES}' AND active`,
  );
  assert.deepEqual(parts, [{ rows: LIMITS.shipmentEntries }]);
  await store.close();
});

test('reports that run for long do not delay an insert', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const stop = new AbortController();
  const reports = [store.query(ENDLESS, {}, { signal: stop.signal })];
  await underWay(store, 1);
  reports.push(store.query(ENDLESS, {}, { signal: stop.signal }), store.query(ENDLESS, {}, { signal: stop.signal }));
  const ended = Promise.allSettled(reports);
  await store.insert(batch(1, [{ cost: 5n }]));
  assert.equal(await Promise.race([ended.then(() => 'ended'), Promise.resolve('running')]), 'running');
  stop.abort();
  assert.deepEqual(new Set((await ended).map(({ status }) => status)), new Set(['rejected']));
  assert.deepEqual((await store.ranges(NODE)).count, 1);
  await store.close();
});

/** Resolves when as many endless reports are in the engine. Asked through a reader that is free. */
async function underWay(store: Store, reports: number): Promise<void> {
  for (;;) {
    const rows = await store.query(
      "SELECT 1 FROM system.processes WHERE position(query, 'cityHash64(number)') > 0 AND position(query, 'system.processes') = 0",
    );
    if (rows.length === reports) return;
  }
}

test('a report whose asker went away is killed in the engine, and its reader serves the next', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const gone = new Error('the client closed the connection');
  const stop = new AbortController();
  const report = store.query(ENDLESS, {}, { signal: stop.signal });
  await underWay(store, 1);
  stop.abort(gone);
  await assert.rejects(report, gone);
  await underWay(store, 0);
  assert.deepEqual(
    await Promise.all([1, 2, 3].map(() => store.query('SELECT 1 AS one'))),
    [1, 2, 3].map(() => [{ one: 1 }]),
  );
  await store.close();
});

/** Puts out rows from its beginning, for half a minute. */
const LEFT = `SELECT 'left' AS whose, number FROM numbers(3000000) WHERE NOT ignore(sleepEachRow(0.00001))`;

for (const [what, interrupt] of [
  ['whose asker went away', { sql: LEFT, timeoutMs: 60_000 }],
  ['that was out of time', { sql: LEFT, timeoutMs: 2000 }],
  ['that failed', { sql: LEFT.replace('ignore', 'throwIf(number = 200000) OR ignore'), timeoutMs: 60_000 }],
] as const) {
  test(`what a report left behind ${what} is in no other answer`, async () => {
    await using dir = await tempDir();
    const store = await open(dir.path);
    const stop = new AbortController();
    const report = store.query(interrupt.sql, {}, { signal: stop.signal, timeoutMs: interrupt.timeoutMs });
    const ended = report.then(
      (rows) => `${rows.length} rows`,
      () => 'no answer',
    );
    if (what === 'whose asker went away') {
      await hasRead(store, 131_000);
      stop.abort();
    }
    assert.equal(await ended, 'no answer');
    const own = await Promise.all([1, 2, 3, 4].map((n) => store.query(`SELECT ${n} AS whose`)));
    assert.deepEqual(own, [[{ whose: 1 }], [{ whose: 2 }], [{ whose: 3 }], [{ whose: 4 }]]);
    await store.close();
  });
}

async function hasRead(store: Store, rows: number): Promise<void> {
  const read = `SELECT 1 FROM system.processes WHERE position(query, 'sleepEachRow') > 0 AND read_rows >= ${rows}
    AND position(query, 'system.processes') = 0`;
  while ((await store.query(read)).length === 0);
}

test('a report that leaves the queue never runs', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock, readers: 1 });
  const first = new AbortController();
  const second = new AbortController();
  const running = store.query(ENDLESS, {}, { signal: first.signal });
  const waiting = store.query('SELECT throwIf(1)', {}, { signal: second.signal });
  second.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  first.abort();
  await assert.rejects(running, { name: 'AbortError' });
  await store.close();
});

test('a report over its time ends with the name of the limit, and never with the query', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await assert.rejects(store.query(ENDLESS, {}, { timeoutMs: 1000 }), (error) => {
    assert.ok(error instanceof ApportionError);
    assert.equal(error.code, 'ledger_unavailable');
    assert.equal(error.message, 'The store could not answer (TIMEOUT_EXCEEDED).');
    assert.equal(error.hint, 'Ask for a shorter period or fewer groups.');
    return true;
  });
  await store.close();
});

test('closing ends running reports first', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const report = assert.rejects(store.query(ENDLESS), { code: 'shutting_down' });
  await underWay(store, 1);
  await store.close();
  await report;
});

test('a store of a newer build is refused', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await store.close();
  const engine = `const { Session } = require('chdb'); const s = new Session(${JSON.stringify(join(dir.path, 'chdb'))});
    s.queryAsync("INSERT INTO schema_versions (version, what) VALUES (999, 'the future')").then(() => s.close());`;
  assert.equal(spawnSync(process.execPath, ['-e', engine]).status, 0);
  await assert.rejects(open(dir.path), /The store has schema version 999, this build knows \d+\./);
});

test('a store that another process has open is left alone', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('./store.ts'))};
    const log = { info() {}, warn() {}, error() {} };
    await openStore({ path: ${JSON.stringify(dir.path)} }, { log, clock: { now: () => 1 } }).catch((error) => console.log(error.message));`;
  const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.match(other.stdout, new RegExp(`is in use by process ${process.pid}`));
  assert.deepEqual(await readdir(dir.path), ['chdb']);
  await store.close();
});

test('a store whose tables cannot be read is set aside, loudly, and starts empty', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await store.insert(batch(1, [{}]));
  await store.close();
  const files = await readdir(dir.path, { recursive: true });
  const definition = files.find((name) => name.endsWith('/entries.sql'));
  assert.ok(definition !== undefined);
  await writeFile(join(dir.path, definition), 'garbage');
  const log = keptLog();
  const fresh = await open(dir.path, log);
  assert.deepEqual(await fresh.ranges(NODE), { count: 0, lastSeq: 0 });
  await fresh.close();
  assert.deepEqual(
    log.lines.map(({ level, sentence }) => [level, sentence]),
    [['error', 'the store cannot be opened; it is set aside and rebuilt from the journal']],
  );
  const aside = (await readdir(dir.path)).find((name) => name.startsWith('chdb.broken-'));
  assert.ok(aside !== undefined);
  assert.equal(await readFile(join(dir.path, definition.replace(/^chdb/, aside)), 'utf8'), 'garbage');
});

test('a node is alone in the store until another one has entries there, also after the store was opened again', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  assert.equal(store.isAlone(NODE), true);
  await store.insert(batch(1, [{ cost: 5n }]));
  assert.deepEqual([store.isAlone(NODE), store.isAlone('node_b')], [true, false]);
  const other = rowOf('node_b', { seq: 1, body: Buffer.from(sampleEntry(1, { cost: 7n })) });
  await store.insert({ nodeId: 'node_b', first: 1, last: 1, generation: 0, lines: [other] });
  assert.equal(store.isAlone(NODE), false);
  await store.close();
  const again = await open(dir.path);
  assert.deepEqual([again.isAlone(NODE), again.isAlone('node_b')], [false, false]);
  await again.close();
});
