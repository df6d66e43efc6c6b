import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { quote } from './bind.ts';
import { boundariesIn } from './boundaries.ts';
import { startClickHouseFront } from './clickhouse-front.fixture.ts';
import { clusterStatements } from './cluster.ts';
import { FIRST_SCHEMA } from './first-schema.fixture.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, sampleEntry, tempDir } from './sample.fixture.ts';
import { createShipper } from './shipper.ts';
import { openStore } from './store.ts';
import { tableDefinitions, type TableForm } from './table-definitions.ts';

const PAGES = join(import.meta.dirname, '../../../docs/clickhouse');

const FORMS: readonly (TableForm & { readonly file: string; readonly options: string })[] = [
  { file: 'one-server.sql', options: '', database: 'apportion', cluster: null, spread: 'replicated' },
  { file: 'replicas.sql', options: ' --cluster main', database: 'apportion', cluster: 'main', spread: 'replicated' },
  {
    file: 'shards.sql',
    options: ' --cluster main --sharded',
    database: 'apportion',
    cluster: 'main',
    spread: 'sharded',
  },
];

for (const { file, options, ...form } of FORMS) {
  test(`docs/clickhouse/${file} has the tables as they are made`, () => {
    const generated = `${tableDefinitions(form)
      .map((statement) => `${statement};`)
      .join('\n\n')}\n`;
    const again = `npm run -s apportion -- clickhouse-schema${options} > docs/clickhouse/${file}`;
    assert.equal(readFileSync(join(PAGES, file), 'utf8'), generated, `make it again: ${again}`);
  });
}

/** One server cannot have replicas: it is told the same without what makes them several. */
function alone(sql: string): string {
  if (sql.startsWith('SYSTEM SYNC REPLICA')) return 'SELECT 1';
  return sql
    .replace(" ON CLUSTER 'main'", '')
    .replace(/clusterAllReplicas\('main', (system\.\w+)\)/g, '$1')
    .replace(/ReplicatedMergeTree\('[^']*', '\{replica\}'\)/, 'MergeTree')
    .replace(
      /replicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/,
      'non_replicated_deduplication_window = $1',
    );
}

test('on a cluster every statement that changes tables goes to all servers, and rows to most before they count', async () => {
  await using dir = await tempDir();
  const front = await startClickHouseFront(join(dir.path, 'engine'), { translate: alone });
  // Of the first release, so that it is altered, too.
  await front.rows('CREATE DATABASE ledger');
  await front.rows(FIRST_SCHEMA, 'ledger');
  const log = keptLog();
  const server = { url: front.url, database: 'ledger', cluster: 'main' };
  const store = await openStore(server, { log, clock: systemClock });
  const journal = entryFile(join(dir.path, 'journal'));
  journal.append([1, 2].map((n) => sampleEntry(n, { cost: 3n })));
  const shipper = createShipper({
    nodeId: 'node_a',
    reader: journal.reader,
    store,
    boundaries: boundariesIn(dir.path),
    quarantine: quarantineIn(dir.path),
    clock: systemClock,
    log,
  });
  shipper.wake(2);
  await shipper.idle();
  assert.deepEqual(await store.totals('node_a', { first: 1, last: 2 }), { entries: 2, cost: 6n });
  await store.tune();
  await store.forget('node_a', 0);
  assert.deepEqual(await store.ranges('node_a'), { count: 0, lastSeq: 0 });
  const said = front.received.map(({ sql }) => sql);
  const changing = said.filter((sql) => /^(?:CREATE|ALTER|DROP)/.test(sql));
  assert.ok(changing.length > 10);
  assert.deepEqual(
    changing.filter((sql) => !sql.includes("ON CLUSTER 'main'")),
    [],
  );
  // A replica that lags would look like one that lost rows.
  const counts = said.flatMap((sql, at) => (sql.includes('AS entries') && sql.includes('/* compared */') ? [at] : []));
  assert.ok(counts.length > 0);
  for (const at of counts)
    assert.equal(said[at - 1]?.trim(), "SYSTEM SYNC REPLICA ON CLUSTER 'main' entries LIGHTWEIGHT");
  const insert = front.received.find(({ sql }) => sql.startsWith('INSERT INTO entries'));
  assert.equal(insert?.settings.get('insert_quorum'), 'auto');
  await shipper.close();
  await store.close();
  await front.close();
});

test('the engine reads every statement that is made for a cluster', async () => {
  await using dir = await tempDir();
  const front = await startClickHouseFront(join(dir.path, 'engine'));
  const statements = [
    ...FORMS.flatMap(tableDefinitions),
    ...clusterStatements('/* compared */ SELECT count() FROM entries', 'main'),
    ...clusterStatements('ALTER TABLE entries DELETE WHERE seq = 1 SETTINGS mutations_sync=2', 'main'),
    ...clusterStatements('DROP TABLE IF EXISTS entries SYNC', 'main'),
    ...clusterStatements("KILL MUTATION WHERE mutation_id = 'x'", 'main'),
  ];
  for (const statement of statements) {
    const [row] = await front.rows(`SELECT formatQuery(${quote(statement)}) != '' AS read`);
    assert.deepEqual(row, { read: 1 }, statement);
  }
  await front.close();
});

test('an alteration reads tables that are the same on all replicas', () => {
  assert.deepEqual(clusterStatements('ALTER TABLE entries UPDATE tags = (SELECT tags FROM fresh) WHERE 1', 'main'), [
    "SYSTEM SYNC REPLICA ON CLUSTER 'main' fresh LIGHTWEIGHT",
    "ALTER TABLE entries ON CLUSTER 'main' UPDATE tags = (SELECT tags FROM fresh) WHERE 1",
  ]);
});

test('what runs in the background of a cluster is looked for on all of its servers', () => {
  assert.deepEqual(clusterStatements('SELECT name FROM system.mutations WHERE NOT is_done', 'main'), [
    "SELECT name FROM clusterAllReplicas('main', system.mutations) WHERE NOT is_done",
  ]);
  assert.deepEqual(clusterStatements("KILL QUERY WHERE startsWith(query, 'x') ASYNC", 'main'), [
    "KILL QUERY ON CLUSTER 'main' WHERE startsWith(query, 'x') ASYNC",
  ]);
  assert.deepEqual(clusterStatements('SELECT 1', null), ['SELECT 1']);
});
