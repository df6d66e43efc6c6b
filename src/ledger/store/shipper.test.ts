import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { openEngine } from './connection.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, sampleEntry, tempDir, type EntryFile } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { createShipper, type Shipper } from './shipper.ts';
import { openStore, type Store } from './store.ts';

const NODE = 'node_a';
const BAD_ENTRY = '{"schema":1,"effective_at":"no time at all","cost":"1000"}';
const REBUILT = /the store is rebuilt from the journal$/;

type Ledger = {
  readonly journal: EntryFile;
  readonly store: Store;
  readonly shipper: Shipper;
  readonly log: ReturnType<typeof keptLog>;
  /** Ships everything in the journal. */
  ship(): Promise<void>;
  close(): Promise<void>;
};

async function openLedger(dir: string): Promise<Ledger> {
  const log = keptLog();
  const journal = entryFile(join(dir, 'journal'));
  const store = await openStore({ path: dir }, { log, clock: systemClock });
  const shipper = createShipper({
    nodeId: NODE,
    reader: journal.reader,
    store,
    boundaries: boundariesIn(dir),
    quarantine: quarantineIn(dir),
    clock: systemClock,
    log,
  });
  return {
    journal,
    store,
    shipper,
    log,
    async ship() {
      shipper.wake(journal.bodies().length);
      await shipper.idle();
    },
    async close() {
      await shipper.close();
      await store.close();
    },
  };
}

/** A statement that the store knows nothing of. */
async function behindItsBack(path: string, sql: string): Promise<void> {
  const engine = await openEngine({ path }, { log: keptLog(), clock: systemClock });
  const connection = engine.connect();
  await connection.run(sql);
  await connection.close();
  await engine.close();
}

function entries(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => sampleEntry(first + index));
}

/** Of a journal of good entries: what its sum must be. */
function costOf(first: number, last: number): bigint {
  let cost = 0n;
  for (let n = first; n <= last; n += 1) cost += BigInt(n) * 1_000_003n;
  return cost;
}

async function seqs(store: Store): Promise<number[]> {
  const rows = await store.query<{ seq: number }>(`SELECT seq FROM ${ENTRIES} ORDER BY seq`);
  return rows.map(({ seq }) => seq);
}

test('everything durable reaches the store once, with the sum of the journal', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  ledger.journal.append(entries(1, 30));
  await ledger.ship();
  ledger.journal.append(entries(31, 45));
  await ledger.ship();
  assert.deepEqual(await ledger.store.totals(NODE, { first: 1, last: 45 }), { entries: 45, cost: costOf(1, 45) });
  assert.deepEqual(ledger.shipper.state(), { through: 45, durable: 45, waiting: 0, quarantined: 0, failing: null });
  assert.equal(ledger.shipper.asOf().seq, 45);
  await ledger.close();
});

test('what was shipped earlier is not claimed before it is compared with the store', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 4));
  await before.ship();
  await before.close();
  const ledger = await openLedger(dir.path);
  assert.deepEqual(ledger.shipper.asOf(), { nodeId: NODE, seq: 0, at: null });
  await ledger.shipper.resumed;
  assert.equal(ledger.shipper.asOf().seq, 4);
  await ledger.close();
});

test('what is not durable yet is not shipped', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  ledger.journal.append(entries(1, 5));
  ledger.shipper.wake(3);
  await ledger.shipper.idle();
  assert.deepEqual(await seqs(ledger.store), [1, 2, 3]);
  await ledger.close();
});

test('an entry becomes visible by itself, without anybody asking for it', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  for (let n = 1; n <= 3; n += 1) {
    ledger.shipper.wake(ledger.journal.append([sampleEntry(n)]));
    while ((await seqs(ledger.store)).length < n);
  }
  assert.deepEqual(await seqs(ledger.store), [1, 2, 3]);
  await ledger.close();
});

test('entries that become durable one after another go out together', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  ledger.journal.append(entries(1, 100));
  for (let seq = 1; seq <= 100; seq += 1) ledger.shipper.wake(seq);
  await ledger.shipper.idle();
  const parts = await ledger.store.query(
    "SELECT rows FROM system.parts WHERE table = 'entries' AND active ORDER BY min_block_number, partition",
  );
  assert.deepEqual(parts.length, 2, 'one insert, one part for each of the two months');
  await ledger.close();
});

test('more entries than fit one insert go out in several', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  ledger.journal.append(entries(1, 10_003));
  await ledger.ship();
  assert.deepEqual(await ledger.store.totals(NODE, { first: 1, last: 10_003 }), {
    entries: 10_003,
    cost: costOf(1, 10_003),
  });
  await ledger.close();
});

test('a start after a clean end sends nothing again and changes nothing', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 9));
  await before.ship();
  await before.close();
  const written = JSON.parse(await readFile(join(dir.path, 'shipping.json'), 'utf8'));
  assert.equal(written.through, 9);
  assert.equal(written.sending, null);
  const ledger = await openLedger(dir.path);
  await ledger.ship();
  assert.deepEqual(ledger.log.lines, []);
  assert.deepEqual((await seqs(ledger.store)).length, 9);
  await ledger.close();
});

test('bad entries go to quarantine with a reason and an alarm each, and all others arrive', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  const bad = new Set([1, 7, 8, 20]);
  ledger.journal.append(entries(1, 20).map((body, index) => (bad.has(index + 1) ? BAD_ENTRY : body)));
  await ledger.ship();
  const good = Array.from({ length: 20 }, (_, index) => index + 1).filter((seq) => !bad.has(seq));
  assert.deepEqual(await seqs(ledger.store), good);
  assert.deepEqual(await quarantineIn(dir.path).list(), [...bad]);
  assert.equal(ledger.shipper.state().quarantined, 4);
  const alarms = ledger.log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(
    alarms.map(({ fields }) => 'seq' in fields && fields.seq),
    [...bad],
  );
  const kept = JSON.parse(await readFile(join(dir.path, 'quarantine', '7.json'), 'utf8'));
  assert.deepEqual([kept.node_id, kept.seq, kept.entry], [NODE, 7, BAD_ENTRY]);
  assert.match(kept.reason, /CANNOT_PARSE|Cannot parse/);
  await ledger.close();

  const again = await openLedger(dir.path);
  again.journal.append(entries(21, 22));
  await again.ship();
  assert.deepEqual(await seqs(again.store), [...good, 21, 22], 'rows and quarantine together explain what was shipped');
  assert.deepEqual(again.log.lines, []);
  await again.close();
});

test('a store that was deleted is rebuilt from the journal, loudly', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 12));
  await before.ship();
  await before.close();
  await rm(join(dir.path, 'chdb'), { recursive: true });
  const ledger = await openLedger(dir.path);
  await ledger.ship();
  assert.deepEqual(await ledger.store.totals(NODE, { first: 1, last: 12 }), { entries: 12, cost: costOf(1, 12) });
  assert.match(ledger.log.lines[0]?.sentence ?? '', REBUILT);
  await ledger.close();
});

test('a store that lost a part of its rows is rebuilt, under tokens it has not seen', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 5));
  await before.ship();
  before.journal.append(entries(6, 9));
  await before.ship();
  await before.close();
  await behindItsBack(dir.path, `ALTER TABLE ${ENTRIES} DROP PARTITION 202610`);
  const ledger = await openLedger(dir.path);
  await ledger.ship();
  assert.deepEqual(await ledger.store.totals(NODE, { first: 1, last: 9 }), { entries: 9, cost: costOf(1, 9) });
  assert.match(ledger.log.lines[0]?.sentence ?? '', REBUILT);
  await ledger.close();
});

for (const lost of ['some rows', 'what was shipped', 'all rows'] as const) {
  test(`F8: with ${lost} lost, a rebuild begins where the journal does, and keeps the rows of what it no longer has`, async () => {
    await using dir = await tempDir();
    const first = await openLedger(dir.path);
    first.journal.append(entries(1, 6));
    await first.ship();
    await first.close();
    if (lost === 'what was shipped') await rm(join(dir.path, 'shipping.json'));
    else {
      const rows = lost === 'all rows' ? '1' : 'seq = 5';
      await behindItsBack(dir.path, `ALTER TABLE ${ENTRIES} DELETE WHERE ${rows} SETTINGS mutations_sync=2`);
    }
    const again = await openLedger(dir.path);
    again.journal.retire(3);
    await again.ship();
    const rows = await again.store.query<{ seq: number }>(`SELECT seq FROM ${ENTRIES} ORDER BY seq`);
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      lost === 'all rows' ? [4, 5, 6] : [1, 2, 3, 4, 5, 6],
    );
    again.journal.append(entries(7, 7));
    await again.ship();
    await again.close();
    // What is left is what there is: it is not rebuilt again and again.
    const calm = await openLedger(dir.path);
    calm.journal.retire(3);
    await calm.ship();
    assert.equal(calm.shipper.state().through, 7);
    assert.ok(!calm.log.lines.some(({ sentence }) => REBUILT.test(sentence)));
    await calm.close();
  });
}

test('when what was shipped is not known, the rows of the node are sent anew and none is doubled', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 6));
  await before.ship();
  await before.close();
  await writeFile(join(dir.path, 'shipping.json'), '{"version":1,');
  const ledger = await openLedger(dir.path);
  await ledger.ship();
  assert.deepEqual(await seqs(ledger.store), [1, 2, 3, 4, 5, 6]);
  await ledger.close();
});

test('a damaged answer of the store after a crash is found by comparing sums', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 3));
  await before.ship();
  await before.close();
  const file = join(dir.path, 'shipping.json');
  const written = JSON.parse(await readFile(file, 'utf8'));
  // As if the process had died with 1–3 on the way, and another amount stood in the store.
  await writeFile(file, JSON.stringify({ ...written, through: 0, sending: { first: 1, last: 3 } }));
  const altered = entryFile(join(dir.path, 'journal'));
  await rm(join(dir.path, 'journal'));
  altered.append([sampleEntry(1), sampleEntry(2, { cost: 5n }), sampleEntry(3)]);
  const ledger = await openLedger(dir.path);
  await ledger.ship();
  assert.equal((await ledger.store.totals(NODE, { first: 2, last: 2 })).cost, 5n);
  assert.match(ledger.log.lines[0]?.sentence ?? '', REBUILT);
  await ledger.close();
});

test('a journal that shows less than it said is waited for, and closing does not hang', async () => {
  await using dir = await tempDir();
  const ledger = await openLedger(dir.path);
  ledger.shipper.wake(1);
  const idle = assert.rejects(ledger.shipper.idle(), { code: 'shutting_down' });
  while (ledger.shipper.state().failing === null) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ledger.shipper.state().failing, 'The journal does not show entries that it said are durable.');
  await ledger.close();
  await idle;
});

test('a journal that is older than the store is an alarm', async () => {
  await using dir = await tempDir();
  const before = await openLedger(dir.path);
  before.journal.append(entries(1, 6));
  await before.ship();
  await before.close();
  const ledger = await openLedger(dir.path);
  ledger.shipper.wake(2);
  await ledger.shipper.idle();
  assert.deepEqual(
    ledger.log.lines.map(({ level, fields }) => [level, fields]),
    [['error', { durable: 2, through: 6 }]],
  );
  await ledger.close();
});
