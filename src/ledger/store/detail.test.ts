import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, type TimestampMs } from '#std';
import { correctionEntry } from '../correction.ts';
import { parseEntry } from '../entry-record.ts';
import { standingOf } from '../standing.ts';
import { picoUsd } from '#terms';
import { DETAIL_COLUMNS, detailKeptFrom } from './detail.ts';
import { keptLog, rowOf, sampleEntry, tempDir, type Sample } from './sample.fixture.ts';
import { ENTRIES } from './schema.ts';
import { fromRowEntry, STORED_ENTRY_COLUMNS } from './stored-entry.ts';
import { openStore, type Store } from './store.ts';
import { SUMMED, SUMS } from './sums/schema.ts';

const NODE = 'node_a';
const OCTOBER = Date.UTC(2026, 9, 5);
/** In the middle of a month: its rows lie in one part of the table. */
const KEPT_FROM = Date.UTC(2026, 9, 20) as TimestampMs;
const OLD: Sample = { startedAt: OCTOBER, sessionPath: 'plan', traceId: 'trace-1' };
const NEW: Sample = { ...OLD, startedAt: KEPT_FROM };
const NEVER = new AbortController().signal;

async function open(path: string): Promise<Store> {
  return await openStore({ path }, { log: keptLog(), clock: systemClock, sumEntries: 2 });
}

async function insert(store: Store, first: number, bodies: readonly string[]): Promise<void> {
  const lines = bodies.map((body, at) => rowOf(NODE, { seq: first + at, body: Buffer.from(body) }));
  await store.insert({ nodeId: NODE, first, last: first + bodies.length - 1, generation: 0, lines });
}

async function fieldsOf(store: Store): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const rows = await store.query<Record<string, unknown>>(
    `SELECT ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES} ORDER BY node_id, seq`,
  );
  return rows.map((row) => fromRowEntry(row).fields);
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === null || (Array.isArray(value) && value.length === 0);
}

/** The details that each row is without. */
async function goneOf(store: Store): Promise<readonly (readonly string[])[]> {
  const whole = parseEntry(JSON.parse(sampleEntry(1, OLD))).fields;
  const had = DETAIL_COLUMNS.filter((name) => !isEmpty(whole[name]));
  return (await fieldsOf(store)).map((fields) => had.filter((name) => isEmpty(fields[name])));
}

const CALL = ['call_id', 'upstream_id', 'usage_raw', 'charges', 'first_byte_ms'];
const CONVERSATION = ['session_path', 'trace_id', 'tag_conflicts'];

/** Says what an unpriced entry costs. */
function corrected(body: string): string {
  const original = parseEntry(JSON.parse(body));
  const [cost, line] = [picoUsd(7n), { meter: 'input', quantity: 10, unitPrice: { amount: '1', per: 1 } } as const];
  return correctionEntry({
    original,
    standing: standingOf(original, []),
    rated: {
      state: 'exact',
      cost,
      listCost: cost,
      billed: cost,
      computedCost: cost,
      charges: [{ ...line, amount: cost, priceRow: 'row' }],
      terms: [],
      unpricedMeters: [],
    },
    meters: original.meters,
    postedAt: original.effectiveAt,
    reason: 'repriced',
    priceBook: 'book-2',
  }).entry;
}

test('what is old loses its detail and nothing else, what is not stays whole, and what is open keeps what may settle it', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const unpriced = sampleEntry(4, { ...OLD, cost: null });
  await insert(store, 1, [
    sampleEntry(1, OLD),
    sampleEntry(2, NEW),
    sampleEntry(3, { ...OLD, cost: null }),
    unpriced,
    corrected(unpriced),
  ]);
  const before = await fieldsOf(store);
  assert.deepEqual(await store.retireDetail(KEPT_FROM, NEVER), { entries: 4 });
  const gone = await goneOf(store);
  assert.deepEqual(gone, [
    [...CONVERSATION, ...CALL, 'entry_id'],
    [],
    // Not settled: it has no lines in any case.
    [...CONVERSATION, 'charges'],
    // What its correction is found by stays.
    [...CONVERSATION, ...CALL],
    [...CONVERSATION, ...CALL],
  ]);
  const kept = (rows: readonly Readonly<Record<string, unknown>>[]): readonly object[] =>
    rows.map((fields) =>
      Object.fromEntries(Object.entries(fields).filter(([name]) => !DETAIL_COLUMNS.some((column) => column === name))),
    );
  assert.deepEqual(kept(await fieldsOf(store)), kept(before));
  assert.deepEqual(await store.retireDetail(KEPT_FROM, NEVER), { entries: 0 });
  await store.close();
});

test('sums by session lose the names of sessions, and no amount', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const inSession = (n: number, sample: Sample): string =>
    sampleEntry(n, sample).replace('"session_id":""', `"session_id":"canary-${n}"`);
  await insert(store, 1, [inSession(1, OLD), inSession(2, OLD), inSession(3, NEW)]);
  store.reached(NODE, 3);
  await store.kept();
  const sums = async (): Promise<unknown> =>
    await store.query(
      `SELECT value, toString(sum(cost)) AS cost, sum(entry_count) AS entries FROM ${SUMS} WHERE dimension = 'session' GROUP BY value ORDER BY value NULLS LAST`,
    );
  assert.deepEqual(await sums(), [
    { value: 'canary-1', cost: '1000003', entries: 1 },
    { value: 'canary-2', cost: '2000006', entries: 1 },
    { value: 'canary-3', cost: '3000009', entries: 1 },
  ]);
  await store.retireDetail(KEPT_FROM, NEVER);
  assert.deepEqual(await sums(), [
    { value: 'canary-3', cost: '3000009', entries: 1 },
    { value: null, cost: '3000009', entries: 2 },
  ]);
  await store.close();
});

test('sums by entry keep the names of those that are corrected, or open, and lose the others', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  const unpriced = sampleEntry(3, { ...OLD, cost: null });
  const estimated = sampleEntry(1, OLD).replace('"cost_state":"exact"', '"cost_state":"estimated"');
  await insert(store, 1, [estimated, sampleEntry(2, { ...OLD, cost: null }), unpriced, corrected(unpriced)]);
  store.reached(NODE, 4);
  await store.kept();
  const names = async (): Promise<unknown> =>
    await store.query(
      `SELECT detail, toUInt8(value != '') AS named, count() AS n FROM ${SUMS} WHERE dimension = 'unsettled' AND value IS NOT NULL GROUP BY ALL ORDER BY ALL`,
    );
  assert.deepEqual(await names(), [
    { detail: 'estimated', named: 1, n: 1 },
    { detail: 'unpriced', named: 1, n: 2 },
  ]);
  await store.retireDetail(KEPT_FROM, NEVER);
  assert.deepEqual(await names(), [
    { detail: 'estimated', named: 0, n: 1 },
    { detail: 'unpriced', named: 1, n: 2 },
  ]);
  await store.close();
});

test('rows that a rebuild brought back lose their detail again, and a late entry its own', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await insert(store, 1, [sampleEntry(1, OLD)]);
  await store.retireDetail(KEPT_FROM, NEVER);
  await store.forget(NODE, 0);
  await insert(store, 1, [sampleEntry(1, { ...OLD, cost: 5n }), sampleEntry(2, OLD)]);
  assert.deepEqual(await goneOf(store), [[], []]);
  assert.deepEqual(await store.retireDetail(KEPT_FROM, NEVER), { entries: 2 });
  await insert(store, 3, [sampleEntry(3, OLD)]);
  assert.deepEqual(await store.retireDetail(KEPT_FROM, NEVER), { entries: 1 });
  assert.deepEqual(new Set((await goneOf(store)).map((names) => names.length)), new Set([9]));
  await store.close();
});

test('who asks to stop is not kept waiting, and the rest goes the next time', async () => {
  await using dir = await tempDir();
  const store = await open(dir.path);
  await insert(store, 1, [sampleEntry(1, OLD)]);
  await store.retireDetail(KEPT_FROM, AbortSignal.abort());
  assert.deepEqual(await goneOf(store), [[]]);
  await store.retireDetail(KEPT_FROM, NEVER);
  assert.deepEqual(await goneOf(store), [[...CONVERSATION, ...CALL, 'entry_id']]);
  await store.close();
});

test('killed at any moment, no row is lost, doubled or changed in any amount, and the next start goes on', async () => {
  await using dir = await tempDir();
  const many = 4_000;
  const filled = await open(dir.path);
  await insert(
    filled,
    1,
    Array.from({ length: many }, (_, at) => sampleEntry(at + 1, OLD)),
  );
  const amounts = SUMMED.map((name) => `toString(sum(toInt128(${name}))) AS s_${name}`).join(', ');
  const totals = async (store: Store): Promise<unknown> =>
    await store.query(`SELECT count() AS n, toString(sum(seq)) AS seqs, ${amounts} FROM ${ENTRIES}`);
  const owed = await totals(filled);
  await filled.close();
  for (const statements of [1, 2, 3, 4, 5]) {
    const child = fork(join(import.meta.dirname, 'detail-main.fixture.ts'), [
      dir.path,
      String(KEPT_FROM),
      String(statements),
    ]);
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
    const store = await open(dir.path);
    assert.deepEqual(await totals(store), owed);
    await store.close();
  }
  const store = await open(dir.path);
  await store.retireDetail(KEPT_FROM, NEVER);
  assert.deepEqual(await totals(store), owed);
  assert.deepEqual(new Set((await goneOf(store)).map((names) => names.length)), new Set([9]));
  await store.close();
});

test('detail is kept for so many whole days at least', () => {
  const now = Date.UTC(2026, 9, 21, 13, 30) as TimestampMs;
  assert.equal(detailKeptFrom(1, now), Date.UTC(2026, 9, 20));
  assert.equal(detailKeptFrom(90, now), Date.UTC(2026, 6, 23));
});
