import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { IDENTITY_COLUMNS, type IdentityRow } from './identity-rows.ts';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { fromRowEntry, STORED_ENTRY_COLUMNS } from './stored-entry.ts';
import { openStore } from './store.ts';
import { tagColumn } from './tag-column.ts';

const TAGS = { customer: 'canary-7', day: '2024-01-01', 'app.version': '10', note: 'Grüße, „x“\n' };

test('rows get other values in their identifying columns, every type as it was, and all others stay', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock });
  const bodies = [1, 2, 3].map((n) =>
    sampleEntry(n, { tags: TAGS, sessionPath: 'a/b', overflow: { build: 'canary-7' } }),
  );
  const lines = bodies.map((body, at) => rowOf('node_a', { seq: at + 1, body: Buffer.from(body) }));
  await store.insert({ nodeId: 'node_a', first: 1, last: 3, generation: 0, lines });
  const others = lines.map((line) => Buffer.from(line.toString().replace('node_a', 'node_b')));
  await store.insert({ nodeId: 'node_b', first: 1, last: 3, generation: 0, lines: others });
  const read = async (): Promise<Record<string, unknown>[]> => {
    const rows = await store.query<Record<string, unknown>>(
      `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} ORDER BY node_id, seq`,
    );
    return rows.map((row) => ({ ...fromRowEntry(row).fields }));
  };
  const before = await read();
  const fresh = { ...TAGS, customer: '(erased)' };
  const rows = [1, 3].map((seq) => {
    const fields = before[seq - 1] ?? {};
    const kept = Object.fromEntries(IDENTITY_COLUMNS.map((name) => [name, fields[name]])) as Record<string, unknown>;
    return {
      ...kept,
      seq,
      tags: fresh,
      tags_overflow: {},
      tag_conflicts: [],
      labels: ['(erased)'],
    } as unknown as IdentityRow;
  });
  await store.identity.rewrite('node_a', rows);
  await store.identity.rewrite('node_a', rows);
  const changed = { tags: fresh, tags_overflow: {}, tag_conflicts: [], labels: ['(erased)'] };
  assert.deepEqual(
    await read(),
    before.map((fields, at) => (at === 0 || at === 2 ? { ...fields, ...changed } : fields)),
  );
  const [typed] = await store.query(
    `SELECT ${tagColumn('day')} AS day, ${tagColumn('app.version')} AS version, tag_keys, label_set FROM ${ENTRIES} WHERE node_id = 'node_a' AND seq = 1`,
  );
  assert.deepEqual(typed, {
    day: '2024-01-01',
    version: '10',
    tag_keys: 'app%2Eversion customer day note',
    label_set: '[["(erased)"],["US\\/California"]]',
  });
  await store.identity.dropDetached();
  assert.ok((await store.identity.replacedFiles()).length > 0, 'the values are in the files that were put aside');
  await store.identity.keepReplacedFiles();
  await store.close();
  const kept = readdirSync(dir.path, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.startsWith('mutation'))
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
  assert.ok(kept.length > 0);
  for (const text of kept) assert.ok(!text.includes('canary') && !text.includes('erased)'), text);
});
