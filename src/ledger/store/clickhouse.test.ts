import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { startClickHouseFront } from './clickhouse-front.fixture.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, sampleEntry, tempDir } from './sample.fixture.ts';
import { createShipper } from './shipper.ts';
import { openStore } from './store.ts';

const NODE = 'node_a';

test('over HTTP the store ships, refuses and answers as it does in the process', async () => {
  await using dir = await tempDir();
  const front = await startClickHouseFront(join(dir.path, 'engine'));
  const log = keptLog();
  const store = await openStore({ url: front.url }, { log, clock: systemClock });
  const journal = entryFile(join(dir.path, 'journal'));
  const shipper = createShipper({
    nodeId: NODE,
    reader: journal.reader,
    store,
    boundaries: boundariesIn(dir.path),
    quarantine: quarantineIn(dir.path),
    clock: systemClock,
    log,
  });
  journal.append([sampleEntry(1, { cost: 5n }), '{"effective_at":"never"}', sampleEntry(3, { cost: 2n ** 90n })]);
  shipper.wake(3);
  await shipper.idle();
  assert.deepEqual(await store.totals(NODE, { first: 1, last: 3 }), { entries: 2, cost: 5n + 2n ** 90n });
  assert.deepEqual(await quarantineIn(dir.path).list(), [2]);
  assert.deepEqual(await store.query('SELECT {a:String} AS a', { a: "it's" }), [{ a: "it's" }]);
  await shipper.close();
  await store.close();
  await front.close();
});

test('a store that is down, then cut off in mid-answer, gets everything once', async () => {
  await using dir = await tempDir();
  const front = await startClickHouseFront(join(dir.path, 'engine'));
  const log = keptLog();
  const store = await openStore({ url: front.url }, { log, clock: systemClock });
  const journal = entryFile(join(dir.path, 'journal'));
  const shipper = createShipper({
    nodeId: NODE,
    reader: journal.reader,
    store,
    boundaries: boundariesIn(dir.path),
    quarantine: quarantineIn(dir.path),
    clock: systemClock,
    log,
  });
  await shipper.idle();
  for (const mode of ['down', 'mute'] as const) {
    front.mode = mode;
    const cut = front.nextCut();
    journal.append([1, 2, 3].map((n) => sampleEntry(journal.bodies().length + n, { cost: 1n })));
    shipper.wake(journal.bodies().length);
    await cut;
    front.mode = 'up';
    await shipper.idle();
  }
  assert.deepEqual(await store.totals(NODE, { first: 1, last: 6 }), { entries: 6, cost: 6n });
  assert.deepEqual(await store.ranges(NODE), { count: 6, lastSeq: 6 });
  assert.equal(shipper.state().failing, null);
  assert.ok(log.lines.every(({ sentence }) => sentence === 'shipping failed and is tried again'));
  assert.ok(log.lines.length >= 2);
  await shipper.close();
  await store.close();
  await front.close();
});
