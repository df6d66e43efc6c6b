import assert from 'node:assert/strict';
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { openEngine, type Engine } from './connection.ts';
import { watchForDamage, type Damage } from './damage.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog, sampleEntry, tempDir } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { createShipper } from './shipper.ts';
import { openStore } from './store.ts';

const NODE = 'node_a';
const ALL = `SELECT * FROM ${ENTRIES}`;

/** A store with entries, closed. */
async function storeWithEntries(dir: string): Promise<void> {
  const deps = { log: keptLog(), clock: systemClock };
  const journal = entryFile(join(dir, 'journal'));
  const store = await openStore({ path: dir }, deps);
  const shipper = createShipper({
    nodeId: NODE,
    reader: journal.reader,
    store,
    boundaries: boundariesIn(dir),
    quarantine: quarantineIn(dir),
    ...deps,
  });
  shipper.wake(journal.append(Array.from({ length: 20 }, (_, index) => sampleEntry(index + 1))));
  await shipper.idle();
  await shipper.close();
  await store.close();
}

/** Leaves nothing but the first bytes of what the parts hold. */
async function cutParts(dir: string): Promise<void> {
  const files = await readdir(dir, { recursive: true });
  const data = files.filter((name) => name.endsWith('data.bin'));
  assert.ok(data.length > 0);
  for (const name of data) await truncate(join(dir, name), 10);
}

type Watched = {
  readonly engine: Engine;
  readonly log: ReturnType<typeof keptLog>;
  readonly found: Promise<Damage>;
  readonly findings: readonly Damage[];
};

async function watch(dir: string): Promise<Watched> {
  const log = keptLog();
  const findings: Damage[] = [];
  const first = Promise.withResolvers<Damage>();
  const engine = watchForDamage(await openEngine({ path: dir }, { log, clock: systemClock }), {
    log,
    clock: systemClock,
    found: (damage) => {
      findings.push(damage);
      first.resolve(damage);
    },
  });
  return { engine, log, found: first.promise, findings };
}

test('S13: a read that meets damaged files has all files checked, and the first one at fault is told once', async () => {
  await using dir = await tempDir();
  await storeWithEntries(dir.path);
  const { engine, found, findings } = await watch(dir.path);
  const reader = engine.connect();
  await cutParts(dir.path);
  await assert.rejects(reader.rows(ALL));
  const damage = await found;
  assert.equal(damage.table, ENTRIES);
  assert.match(damage.part, /^\d{6}_/);
  assert.notEqual(damage.reason, '');
  await assert.rejects(reader.rows(ALL));
  assert.equal(findings.length, 1);
  await reader.close();
  await engine.close();
});

test('S13: an error that may mean damage takes nothing away from a store whose files are as written', async () => {
  await using dir = await tempDir();
  await storeWithEntries(dir.path);
  const { engine, log, findings } = await watch(dir.path);
  const reader = engine.connect();
  const asIfDamaged = `SELECT throwIf(1, 'as if', toInt16(432)) FROM ${ENTRIES} SETTINGS allow_custom_error_code_in_throwif=1`;
  await assert.rejects(reader.rows(asIfDamaged), /UNKNOWN_CODEC/);
  while (log.lines.length === 0) await reader.rows('SELECT 1');
  await assert.rejects(reader.rows(asIfDamaged), /UNKNOWN_CODEC/);
  await reader.rows(ALL);
  assert.deepEqual(findings, []);
  assert.deepEqual(
    log.lines.map(({ sentence }) => sentence),
    ['the files of the store were read after an error that may mean damage: they are as written'],
  );
  await reader.close();
  await engine.close();
});
