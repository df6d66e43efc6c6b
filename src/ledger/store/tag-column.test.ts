import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#std';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { openStore, type Store } from './store.ts';
import { isTagKey, tagColumn, tagKeyOfPath, tagPath } from './tag-column.ts';

const legalKey = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/);

let dir: Awaited<ReturnType<typeof tempDir>>;
let store: Store;
let seq = 0;

before(async () => {
  dir = await tempDir();
  store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock });
});

after(async () => {
  await store.close();
  await dir[Symbol.asyncDispose]();
});

async function putTags(tags: Readonly<Record<string, string>>): Promise<number> {
  seq += 1;
  const lines = [rowOf('node_a', { seq, body: Buffer.from(sampleEntry(seq, { tags })) })];
  await store.insert({ nodeId: 'node_a', first: seq, last: seq, generation: 0, lines });
  return seq;
}

/** Of one row, its tags read through `tagColumn`, one by one. */
async function getTags(keys: readonly string[], row: number): Promise<Record<string, string | null>> {
  const columns = keys.map((key, index) => `${tagColumn(key)} AS v${index}`);
  const sql = `SELECT ${columns.join(', ')} FROM ${ENTRIES} WHERE seq = {row:UInt64}`;
  const [values] = await store.query<Record<string, string | null>>(sql, { row });
  return Object.fromEntries(keys.map((key, index) => [key, values?.[`v${index}`] ?? null]));
}

test('a path says its key again', () => {
  fc.assert(fc.property(legalKey, (key) => tagKeyOfPath(tagPath(key)) === key));
});

test('two keys never share a path', () => {
  fc.assert(fc.property(legalKey, legalKey, (a, b) => (tagPath(a) === tagPath(b)) === (a === b)));
});

test('a key that could leave the column expression is refused', () => {
  for (const key of ['', '1a', 'a b', 'a`', "a'", 'a\\', 'a%2Eb', 'a.:String`', 'é', 'a'.repeat(65), 'a\n']) {
    assert.equal(isTagKey(key), false, key);
    assert.throws(() => tagColumn(key), /a tag key reaches SQL only after parsing/, key);
  }
});

test('tags with any legal key read back, dots and dashes included', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(legalKey, { minLength: 1, maxLength: 64 }), async (keys) => {
      const tags = Object.fromEntries(keys.map((key, index) => [key, `value ${index}`]));
      assert.deepEqual(await getTags(keys, await putTags(tags)), tags);
    }),
    { numRuns: 12 },
  );
});

test('a key and the keys that look like its parts are apart', async () => {
  const tags = { a: '1', 'a.b': '2', 'a.b.c': '3', 'a-b': '4', A: '5', a_b: '6' };
  assert.deepEqual(await getTags(Object.keys(tags), await putTags(tags)), tags);
});

test('values stay the text they were, whatever they look like', async () => {
  const looksLike = ['2026-01-01', '2026-01-01 10:00:00', '2026-01-01T00:00:00Z', 'true', 'null', '2.0', '1e5', '[1]'];
  const value = fc.oneof(fc.constantFrom(...looksLike), fc.string({ unit: 'binary' }));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (values) => {
      const tags = Object.fromEntries(values.map((text, index) => [`k${index}`, text]));
      assert.deepEqual(await getTags(Object.keys(tags), await putTags(tags)), tags);
    }),
    { numRuns: 12 },
  );
});

test('a lone surrogate becomes a replacement character instead of losing the entry', async () => {
  const row = await putTags({ half: 'x\ud83dy', slash: 'a\\ud800' });
  assert.deepEqual(await getTags(['half', 'slash'], row), { half: 'x\ufffdy', slash: 'a\\ud800' });
});

test('a tag that is absent reads as null, never as empty text', async () => {
  assert.deepEqual(await getTags(['empty', 'absent'], await putTags({ empty: '' })), { empty: '', absent: null });
});

test('each of 200 keys, more than one per row, groups to its own values', async () => {
  const from = seq + 1;
  for (let n = 0; n < 40; n += 1) {
    await putTags(Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`key.${n * 5 + i}`, `v${n}`])));
  }
  for (const index of [0, 57, 113, 199]) {
    const column = tagColumn(`key.${index}`);
    const rows = await store.query(
      `SELECT ${column} AS value, toUInt32(count()) AS calls FROM ${ENTRIES} WHERE seq >= {from:UInt64} GROUP BY value ORDER BY value NULLS LAST`,
      { from },
    );
    assert.deepEqual(rows, [
      { value: `v${Math.floor(index / 5)}`, calls: 1 },
      { value: null, calls: 39 },
    ]);
  }
});

test('keys beyond those with a file of their own still group', async () => {
  const keys = Array.from({ length: 600 }, (_, index) => `wide.${index}`);
  for (let start = 0; start < keys.length; start += 60) {
    await putTags(Object.fromEntries(keys.slice(start, start + 60).map((key) => [key, 'x'])));
  }
  for (const key of ['wide.0', 'wide.300', 'wide.599']) {
    const rows = await store.query(`SELECT toUInt32(count()) AS calls FROM ${ENTRIES} WHERE ${tagColumn(key)} = 'x'`);
    assert.deepEqual(rows, [{ calls: 1 }], key);
  }
});

test('where a tag came from is read the same way', async () => {
  const row = await putTags({ 'cost.center': '42' });
  const sql = `SELECT ${tagColumn('cost.center', 'tag_provenance')} AS source FROM ${ENTRIES} WHERE seq = {row:UInt64}`;
  assert.deepEqual(await store.query(sql, { row }), [{ source: 'declared' }]);
});
