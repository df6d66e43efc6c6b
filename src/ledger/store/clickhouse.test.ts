import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { startClickHouseFront, type ClickHouseFront, type FrontOptions } from './clickhouse-front.fixture.ts';
import type { ClickHouseServer } from './clickhouse-server.ts';
import type { IdentityRow } from './identity-rows.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, rowOf, sampleEntry, tempDir, type EntryFile } from './sample.fixture.ts';
import { createShipper, type Shipper } from './shipper.ts';
import { openStore, type Store } from './store.ts';

const NODE = 'node_a';

type Scene = {
  readonly dir: string;
  readonly front: ClickHouseFront;
  readonly store: Store;
  readonly shipper: Shipper;
  readonly journal: EntryFile;
  readonly log: ReturnType<typeof keptLog>;
  /** Appends an entry of one pico-dollar each, and wakes the shipper. */
  append(count: number): void;
} & AsyncDisposable;

async function scene(server: Partial<ClickHouseServer> = {}, options: FrontOptions = {}): Promise<Scene> {
  const dir = await tempDir();
  const front = await startClickHouseFront(join(dir.path, 'engine'), options);
  const log = keptLog();
  const store = await openStore({ url: front.url, database: 'ledger', ...server }, { log, clock: systemClock });
  const journal = entryFile(join(dir.path, 'journal'));
  const shipper = shipping(NODE, { dir: dir.path, store, journal, log });
  return {
    dir: dir.path,
    front,
    store,
    shipper,
    journal,
    log,
    append(count) {
      const before = journal.bodies().length;
      journal.append(Array.from({ length: count }, (_, at) => sampleEntry(before + at + 1, { cost: 1n })));
      shipper.wake(before + count);
    },
    async [Symbol.asyncDispose]() {
      await shipper.close();
      await store.close();
      await front.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

type Shipped = Pick<Scene, 'dir' | 'store' | 'journal' | 'log'>;

function shipping(nodeId: string, { dir, store, journal, log }: Shipped): Shipper {
  return createShipper({
    nodeId,
    reader: journal.reader,
    store,
    boundaries: boundariesIn(join(dir, nodeId)),
    quarantine: quarantineIn(join(dir, nodeId)),
    clock: systemClock,
    log,
  });
}

test('over HTTP the store ships, refuses and answers as it does in the process', async () => {
  await using at = await scene();
  at.journal.append([sampleEntry(1, { cost: 5n }), '{"effective_at":"never"}', sampleEntry(3, { cost: 2n ** 90n })]);
  at.shipper.wake(3);
  await at.shipper.idle();
  assert.deepEqual(await at.store.totals(NODE, { first: 1, last: 3 }), { entries: 2, cost: 5n + 2n ** 90n });
  assert.deepEqual(await quarantineIn(join(at.dir, NODE)).list(), [2]);
  assert.deepEqual(await at.store.query('SELECT {a:String} AS a', { a: "it's" }), [{ a: "it's" }]);
});

test('the database is made when it is missing, and the tables are in it', async () => {
  await using at = await scene({ database: 'cost-ledger' });
  at.append(1);
  await at.shipper.idle();
  assert.deepEqual(await at.front.rows('SELECT count() AS n FROM entries', 'cost-ledger'), [{ n: 1 }]);
});

for (const mode of ['down', 'mute', 'twice', 'busy', 'unavailable', 'silent'] as const) {
  test(`a server that is ${mode} for a while gets everything once`, async () => {
    await using at = await scene(mode === 'silent' ? { requestTimeoutMs: 3_000 } : {});
    at.append(3);
    await at.shipper.idle();
    at.front.mode = mode;
    const cut = at.front.nextCut();
    at.append(3);
    await cut;
    at.front.mode = 'up';
    await at.shipper.idle();
    assert.deepEqual(await at.store.totals(NODE, { first: 1, last: 6 }), { entries: 6, cost: 6n });
    assert.deepEqual(await at.store.ranges(NODE), { count: 6, lastSeq: 6 });
    assert.equal(at.shipper.state().failing, null);
    assert.deepEqual(
      [...new Set(at.log.lines.filter(({ level }) => level === 'error').map(({ sentence }) => sentence))],
      mode === 'twice' ? [] : ['shipping failed and is tried again'],
    );
  });
}

test('a server that is not there yet is tried again; until then every question is answered with what is the matter', async () => {
  await using dir = await tempDir();
  const first = await startClickHouseFront(join(dir.path, 'engine'));
  const { url } = first;
  await first.close();
  const log = keptLog();
  const store = await openStore({ url, database: 'ledger' }, { log, clock: systemClock });
  const host = new URL(url).host;
  await assert.rejects(store.query('SELECT 1'), {
    code: 'ledger_unavailable',
    message: `The ClickHouse server at ${host} cannot be used (ECONNREFUSED).`,
    hint: 'It is asked again by and by. Look at the server, and at CLICKHOUSE_URL.',
  });
  const journal = entryFile(join(dir.path, 'journal'));
  const shipper = shipping(NODE, { dir: dir.path, store, journal, log });
  journal.append([sampleEntry(1, { cost: 1n })]);
  shipper.wake(1);
  const front = await startClickHouseFront(join(dir.path, 'engine'), { port: Number(new URL(url).port) });
  await shipper.idle();
  assert.deepEqual(await store.totals(NODE, { first: 1, last: 1 }), { entries: 1, cost: 1n });
  await shipper.close();
  await store.close();
  await front.close();
});

test('a wrong password is told with the settings it is about, and never with the password', async () => {
  await using at = await scene({ username: 'ledger', password: 'guessed' }, { user: 'ledger', password: 'kept' });
  await assert.rejects(at.store.ranges(NODE), (error: Error) => {
    assert.match(error.message, /^The ClickHouse server at 127\.0\.0\.1:\d+ does not let the user in\.$/);
    assert.ok('hint' in error && error.hint === 'Look at CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.');
    assert.ok(!JSON.stringify(error).includes('guessed'));
    return true;
  });
});

test('user and password reach the server', async () => {
  await using at = await scene({ username: 'ledger', password: 'kept' }, { user: 'ledger', password: 'kept' });
  at.append(2);
  await at.shipper.idle();
  assert.deepEqual(await at.store.ranges(NODE), { count: 2, lastSeq: 2 });
});

test('a certificate of an authority of our own is trusted once it is named, and told of before', async () => {
  await using certificates = await tempDir();
  const { key, cert, ca } = certificate(certificates.path);
  await using at = await scene({ caCertificate: ca }, { tls: { key, cert } });
  at.append(1);
  await at.shipper.idle();
  assert.deepEqual(await at.store.ranges(NODE), { count: 1, lastSeq: 1 });
  const stranger = await openStore({ url: at.front.url, database: 'ledger' }, { log: at.log, clock: systemClock });
  await assert.rejects(stranger.ranges(NODE), {
    code: 'ledger_unavailable',
    hint: 'Name the authority that signed it with CLICKHOUSE_CA_FILE.',
  });
  await stranger.close();
});

test('nodes that start at once on an empty server make its tables once, and each counts its own entries', async () => {
  await using at = await scene();
  const nodes = await Promise.all(
    ['node_b', 'node_c', 'node_d'].map(async (nodeId, index) => {
      const store = await openStore({ url: at.front.url, database: 'ledger' }, { log: at.log, clock: systemClock });
      const journal = entryFile(join(at.dir, `journal-${nodeId}`));
      journal.append(Array.from({ length: index + 1 }, (_, n) => sampleEntry(n + 1, { cost: 7n })));
      const shipper = shipping(nodeId, { dir: at.dir, store, journal, log: at.log });
      shipper.wake(index + 1);
      return { nodeId, store, shipper };
    }),
  );
  at.append(2);
  await Promise.all([at.shipper.idle(), ...nodes.map(({ shipper }) => shipper.idle())]);
  assert.deepEqual(
    await at.store.query('SELECT toString(node_id) AS node, count() AS n FROM entries GROUP BY node ORDER BY node'),
    [
      { node: NODE, n: 2 },
      { node: 'node_b', n: 1 },
      { node: 'node_c', n: 2 },
      { node: 'node_d', n: 3 },
    ],
  );
  assert.deepEqual(
    at.log.lines.filter(({ level }) => level === 'error'),
    [],
  );
  for (const { store, shipper } of nodes) {
    await shipper.close();
    await store.close();
  }
});

test('a node that is rebuilt leaves the rows of the others alone', async () => {
  await using at = await scene();
  const journal = entryFile(join(at.dir, 'journal-b'));
  journal.append([1, 2, 3].map((n) => sampleEntry(n, { cost: 7n })));
  const other = shipping('node_b', { ...at, journal });
  other.wake(3);
  at.append(4);
  await Promise.all([at.shipper.idle(), other.idle()]);
  await other.close();
  // Its rows are gone behind its back, as after a restore of the server from an older backup.
  await at.front.rows(
    "ALTER TABLE entries DELETE WHERE node_id = 'node_b' AND seq = 2 SETTINGS mutations_sync=2",
    'ledger',
  );
  const again = shipping('node_b', { ...at, journal });
  again.wake(3);
  await again.idle();
  assert.deepEqual(await at.store.totals('node_b', { first: 1, last: 3 }), { entries: 3, cost: 21n });
  assert.deepEqual(await at.store.totals(NODE, { first: 1, last: 4 }), { entries: 4, cost: 4n });
  await again.close();
});

test('two nodes that erase on one server at the same time each put their own values in', async () => {
  await using at = await scene();
  const ofB = await openStore({ url: at.front.url, database: 'ledger' }, { log: at.log, clock: systemClock });
  for (const [nodeId, store] of [
    ['node_b', at.store],
    ['node_c', ofB],
  ] as const) {
    const lines = [1, 2].map((seq) => rowOf(nodeId, { seq, body: Buffer.from(sampleEntry(seq)) }));
    await store.insert({ nodeId, first: 1, last: 2, generation: 0, lines });
  }
  await Promise.all([
    at.store.identity.rewrite(
      'node_b',
      [1, 2].map((seq) => erasedRow(seq, `a${seq}`)),
    ),
    ofB.identity.rewrite(
      'node_c',
      [1, 2].map((seq) => erasedRow(seq, `b${seq}`)),
    ),
  ]);
  assert.deepEqual(await at.store.query('SELECT entity_id AS id FROM entries ORDER BY id'), [
    { id: 'a1' },
    { id: 'a2' },
    { id: 'b1' },
    { id: 'b2' },
  ]);
  assert.deepEqual(await at.front.rows("SELECT name FROM system.tables WHERE name LIKE '%erasing%'"), []);
  await ofB.close();
});

test('rows are not gathered by the server, and an answer is whole before its status', async () => {
  await using at = await scene();
  at.append(1);
  await at.shipper.idle();
  const insert = at.front.received.find(({ sql }) => sql.startsWith('INSERT INTO entries'));
  assert.match(insert?.sql ?? '', /async_insert=0/);
  assert.ok(at.front.received.every(({ settings }) => settings.get('wait_end_of_query') === '1'));
});

function erasedRow(seq: number, entityId: string): IdentityRow {
  return {
    seq,
    key_name: '',
    key_owner: '',
    entity_id: entityId,
    session_id: '',
    session_path: '',
    trace_id: '',
    tags: { customer: entityId },
    labels: [],
    paths: [],
    tag_conflicts: [],
    tags_overflow: {},
    tags_sent: [],
    usage_raw: '',
  };
}

/** A key, its certificate, and the authority that signed it. */
function certificate(dir: string): { readonly key: string; readonly cert: string; readonly ca: string } {
  const file = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=ours',
  );
  openssl('req', ...newKey, '-keyout', file('server.key'), '-out', file('server.csr'), '-subj', '/CN=store');
  writeFileSync(file('names'), 'subjectAltName=IP:127.0.0.1');
  const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')];
  openssl('x509', '-req', '-in', file('server.csr'), '-out', file('server.pem'), '-days', '2', ...signed);
  const [key, cert, ca] = ['server.key', 'server.pem', 'ca.pem'].map((name) => readFileSync(file(name), 'utf8'));
  return { key: key ?? '', cert: cert ?? '', ca: ca ?? '' };
}
