import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#std';
import { insertionOf } from './insert.ts';
import { keptLog, rowOf, sampleEntry, tempDir } from './sample.fixture.ts';
import { CREATE_ENTRIES, ENTRIES, ENTRY_COLUMNS } from './schema.ts';
import { openStore } from './store.ts';

const MONEY = ['reserved', 'cost', 'list_cost', 'billed', 'computed_cost', 'at_risk'] as const;
const AS_TEXT: ReadonlySet<string> = new Set([...MONEY, 'moved_cost']);

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

test('every field of an entry but its salt has a column, and every column but the origin has a field', () => {
  const fields = Object.keys(parseObject(sampleEntry(1))).filter((field) => field !== 'salt');
  assert.deepEqual(new Set(Object.keys(ENTRY_COLUMNS)), new Set(['node_id', 'seq', ...fields]));
});

test('money columns are 128-bit integers, so that sums cannot wrap', () => {
  for (const column of MONEY) assert.equal(ENTRY_COLUMNS[column], 'Nullable(Int128)');
  assert.equal(ENTRY_COLUMNS.moved_cost, 'Int128');
  assert.match(ENTRY_COLUMNS.charges, /amount Int128/);
  assert.match(CREATE_ENTRIES, /fsync_after_insert = 1/);
});

test('an entry comes back from the store as it went in', async () => {
  await using dir = await tempDir();
  const store = await openStore({ path: dir.path }, { log: keptLog(), clock: systemClock });
  const body = sampleEntry(7, { cost: 2n ** 80n });
  const lines = [rowOf('node_a', { seq: 7, body: Buffer.from(body) })];
  await store.insert({ nodeId: 'node_a', first: 7, last: 7, generation: 0, lines });
  const columns = Object.keys(ENTRY_COLUMNS).map((name) =>
    AS_TEXT.has(name) ? `toString(${name}) AS ${name}` : name === 'charges' ? 'toJSONString(charges) AS charges' : name,
  );
  const [row] = await store.query<Record<string, unknown>>(`SELECT ${columns.join(', ')} FROM ${ENTRIES}`);
  await store.close();
  const { salt: _, ...entry } = parseObject(body);
  const { charges, ...rest } = row ?? {};
  assert.deepEqual(rest, {
    ...Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'charges')),
    node_id: 'node_a',
    seq: 7,
    effective_at: '2026-10-31 23:59:07.000',
    posted_at: '2026-10-31 23:59:07.250',
  });
  assert.match(String(charges), /"amount":"?1208925819614629174706176"?/);
});

test('a batch whose lines do not match its range is a broken invariant', () => {
  assert.throws(
    () => insertionOf({ nodeId: 'n', first: 1, last: 2, generation: 0, lines: [Buffer.from('{}')] }),
    /a batch 1-2 has 1 lines/,
  );
});
