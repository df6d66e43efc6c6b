import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { openEngine } from './connection.ts';
import { FIRST_SCHEMA } from './first-schema.fixture.ts';
import { migrate } from './migrations.ts';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { CREATE_ENTRIES, DERIVED_COLUMNS, ENTRIES, ENTRY_COLUMNS } from './schema.ts';
import { openStore } from './store.ts';

const NODE = 'node_a';
const DEPS = { log: keptLog(), clock: systemClock };

/** A store as the first release left it, with one entry. */
async function firstStore(path: string): Promise<void> {
  const engine = await openEngine({ path }, DEPS);
  const connection = engine.connect();
  await connection.run(FIRST_SCHEMA);
  await connection.run(
    "CREATE TABLE schema_versions (version UInt32, what String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY version",
  );
  await connection.run("INSERT INTO schema_versions (version, what) VALUES (1, 'the entries table')");
  await connection.run(
    `INSERT INTO ${ENTRIES} (node_id, seq, call_id, entry_id, effective_at, cost, tags, input_tokens)
     VALUES ('${NODE}', 1, 'call_1', 'call_1.1.attempt.0', '2026-10-31 00:00:00', 7, '{"team":"growth"}', 12)`,
  );
  await connection.close();
  await engine.close();
}

/** The table as the engine tells how to make it. */
async function definitionOf(path: string): Promise<string> {
  const store = await openStore({ path }, DEPS);
  const [table] = await store.query<{ create_table_query: string }>(
    `SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '${ENTRIES}'`,
  );
  await store.close();
  return table?.create_table_query ?? '';
}

async function columnsOf(path: string): Promise<Record<string, string>> {
  const store = await openStore({ path }, DEPS);
  const rows = await store.query<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '${ENTRIES}' ORDER BY position`,
  );
  await store.close();
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
}

test('E16: a store of the first release keeps its rows and takes entries with the columns added since', async () => {
  await using dir = await tempDir();
  await firstStore(dir.path);
  const store = await openStore({ path: dir.path }, DEPS);
  const step = sampleEntry(2, {
    cost: 5n,
    tags: { team: 'team2', 'cost.center': '7' },
    sessionPath: 'plan/search',
    traceId: 'a'.repeat(32),
    overflow: { build: '9' },
  });
  const lines = [rowOf(NODE, { seq: 2, body: Buffer.from(step) })];
  await store.insert({ nodeId: NODE, first: 2, last: 2, generation: 0, lines });
  const rows = await store.query(
    `SELECT seq, toString(cost) AS cost, tags.team.:String AS team, session_path, trace_id, tags_overflow, tag_keys FROM ${ENTRIES} ORDER BY seq`,
  );
  await store.close();
  assert.deepEqual(rows, [
    { seq: 1, cost: '7', team: 'growth', session_path: '', trace_id: '', tags_overflow: {}, tag_keys: 'team' },
    {
      seq: 2,
      cost: '5',
      team: 'team2',
      session_path: 'plan/search',
      trace_id: 'a'.repeat(32),
      tags_overflow: { build: '9' },
      tag_keys: 'cost%2Ecenter team',
    },
  ]);
});

test('an entry older than list cost and billed amount counts with its cost as both, and its tokens may be corrected', async () => {
  await using dir = await tempDir();
  await firstStore(dir.path);
  const store = await openStore({ path: dir.path }, DEPS);
  const rows = await store.query(
    `SELECT toString(list_cost) AS list, toString(cost + list_extra) AS counted, toString(billed_extra) AS extra, unpriced_count,
      toString(moved_cost) AS moved, corrects, resolves, cause, input_tokens - 20 AS fewer FROM ${ENTRIES}`,
  );
  await store.close();
  assert.deepEqual(rows, [
    {
      list: null,
      counted: '7',
      extra: '0',
      unpriced_count: 0,
      moved: '0',
      corrects: '',
      resolves: '',
      cause: '',
      fewer: -8,
    },
  ]);
});

test('a migrated table has the columns of a new one, in the same order', async () => {
  await using dir = await tempDir();
  const old = join(dir.path, 'old');
  await firstStore(old);
  const migrated = await columnsOf(old);
  assert.deepEqual(Object.entries(migrated), Object.entries(await columnsOf(join(dir.path, 'new'))));
  assert.deepEqual(Object.keys(migrated), Object.keys({ ...ENTRY_COLUMNS, ...DERIVED_COLUMNS }));
});

test('a new store is made as it is now: the same as after all alterations of it, and of a first one', async () => {
  await using dir = await tempDir();
  const [fresh, altered] = [join(dir.path, 'fresh'), join(dir.path, 'altered')];
  const engine = await openEngine({ path: altered }, DEPS);
  const connection = engine.connect();
  // A crash came before its version was recorded.
  await connection.run(CREATE_ENTRIES);
  const statements: string[] = [];
  const read = <T>(sql: string): Promise<T[]> => connection.rows<T>(sql);
  const run = async (sql: string): Promise<void> => {
    statements.push(sql);
    await connection.run(sql);
  };
  await migrate({ run, read });
  assert.ok(statements.some((sql) => sql.startsWith('ALTER')));
  statements.length = 0;
  await migrate({ run, read });
  assert.equal(statements.length, 1, 'the table of versions');
  await connection.close();
  await engine.close();
  const definition = await definitionOf(fresh);
  assert.match(definition, /narrow_seq/);
  assert.equal(await definitionOf(altered), definition);
  const first = join(dir.path, 'first');
  await firstStore(first);
  // Settings stand in another order there.
  const parts = (sql: string): readonly string[] => sql.split(/, | SETTINGS /).toSorted();
  assert.deepEqual(parts(await definitionOf(first)), parts(definition));
});

test('a store of a newer build is refused', async () => {
  const run = (): Promise<void> => Promise.resolve();
  // One row, as the version table answers it.
  const read = <T>(): Promise<T[]> => Promise.resolve(JSON.parse('[{"version":1000}]'));
  await assert.rejects(migrate({ run, read }), /The store has schema version 1000/);
});
