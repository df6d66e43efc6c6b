import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { parseEntry } from '../entry-record.ts';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { openStore } from './store.ts';
import { fromRowEntry, STORED_ENTRY_COLUMNS } from './stored-entry.ts';

test('an entry read back from the store is what the journal has of it, field by field, but for its salt', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock });
  const bodies = [
    sampleEntry(1, {
      cost: 2n ** 80n + 1n,
      tags: { 'app.version': '2.0', team: 'core', note: 'Grüße, „x“\n' },
      sessionPath: 'plan/search',
      overflow: { build: '9' },
    }),
    sampleEntry(2, { cost: null, tags: {} }),
  ];
  const lines = bodies.map((body, at) => rowOf('node_a', { seq: at + 1, body: Buffer.from(body) }));
  await store.insert({ nodeId: 'node_a', first: 1, last: 2, generation: 0, lines });
  const rows = await store.query<Record<string, unknown>>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} WHERE effective_at > '2026-01-01 00:00:00' ORDER BY seq`,
  );
  await store.close();
  assert.deepEqual(
    rows.map((row) => fromRowEntry(row)),
    bodies.map((body) => {
      const { salt: _, ...entry } = JSON.parse(body);
      return parseEntry(entry);
    }),
  );
});
