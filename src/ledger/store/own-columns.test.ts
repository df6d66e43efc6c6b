import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { IDENTITY_COLUMNS, type IdentityRow } from './identity-rows.ts';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { openStore, type Store } from './store.ts';
import { tagColumn } from './tag-column.ts';

const DEPS = { log: keptLog(), clock: systemClock };
const KEYS = ['team', 'day', 'cost.center', 'rare', 'never'];

async function put(store: Store, seq: number, tags: Readonly<Record<string, string>>): Promise<void> {
  const lines = [rowOf('node_a', { seq, body: Buffer.from(sampleEntry(seq, { tags })) })];
  await store.insert({ nodeId: 'node_a', first: seq, last: seq, generation: 0, lines });
}

function tagsOf(store: Store): Promise<unknown[]> {
  const columns = KEYS.map((key, at) => `${tagColumn(key)} AS v${at}, ${tagColumn(key, 'tag_provenance')} AS p${at}`);
  return store.query(`SELECT seq, ${columns.join(', ')} FROM ${ENTRIES} ORDER BY seq`);
}

async function ownColumns(store: Store): Promise<readonly string[]> {
  const rows = await store.query<{ comment: string }>(
    `SELECT comment FROM system.columns WHERE database = currentDatabase() AND table = '${ENTRIES}' AND startsWith(name, 'own_tag_')
     ORDER BY comment`,
  );
  return rows.map(({ comment }) => comment);
}

test('frequent tags get columns, and read the same in rows from before and after, also when the store was opened again', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, DEPS);
  await put(store, 1, { team: 'growth', day: '2024-01-01', 'cost.center': '007' });
  await put(store, 2, { team: "it's \\ `x`\n" });
  const before = await tagsOf(store);
  await store.tune();
  await store.tune();
  assert.deepEqual(await ownColumns(store), ['cost%2Ecenter', 'day', 'team']);
  assert.deepEqual(await tagsOf(store), before);
  await put(store, 3, { team: 'growth', day: '2024-01-01', 'cost.center': '007' });
  const after = await tagsOf(store);
  assert.deepEqual(after.slice(0, 2), before);
  assert.deepEqual({ ...Object(after[2]), seq: 1 }, before[0]);
  await store.close();
  const again = await openStore({ path: dir.path }, DEPS);
  assert.deepEqual(await tagsOf(again), after);
  await again.close();
});

test('a tag with very many values stays where it is', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, DEPS);
  await put(store, 1, { team: 'growth' });
  const lines = Array.from({ length: 12_000 }, (_, at) =>
    rowOf('node_a', {
      seq: at + 2,
      body: Buffer.from(sampleEntry(at + 2, { tags: { user: `user-${at}`, team: 'core' } })),
    }),
  );
  await store.insert({ nodeId: 'node_a', first: 2, last: 12_001, generation: 0, lines });
  await store.tune();
  assert.deepEqual(await ownColumns(store), ['team']);
  await store.close();
});

test('a value that is erased is erased in its own column', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, DEPS);
  await put(store, 1, { team: 'canary' });
  await store.tune();
  const [row] = await store.query<Record<string, unknown>>(`SELECT ${IDENTITY_COLUMNS.join(', ')} FROM ${ENTRIES}`);
  const erased = { ...row, seq: 1, tags: { team: '(erased)' } } as unknown as IdentityRow;
  await store.identity.rewrite('node_a', [erased]);
  assert.deepEqual(await store.query(`SELECT ${tagColumn('team')} AS team, own_tag_1 AS own FROM ${ENTRIES}`), [
    { team: '(erased)', own: '(erased)' },
  ]);
  await store.close();
});
