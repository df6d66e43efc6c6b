import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#std';
import { COST_STATES } from '#terms';
import { openEngine, type Connection, type Engine } from '../connection.ts';
import { WIDE } from '../narrow-columns.ts';
import { keptLog, tempDir } from '../sample.fixture.ts';
import { ENTRIES } from '../schema.ts';
import { openStore } from '../store.ts';
import { SUMMED } from './schema.ts';
import { cellSet, cellStatement, createCells } from './cells.ts';
import { partRowsOf } from './part-rows.ts';

let dir: Awaited<ReturnType<typeof tempDir>>;
let engine: Engine;
let connection: Connection;

before(async () => {
  dir = await tempDir();
  const deps = { log: keptLog(), clock: systemClock };
  await (await openStore({ path: dir.path }, deps)).close();
  engine = await openEngine({ path: dir.path }, deps);
  connection = engine.connect();
});

after(async () => {
  await connection.close();
  await engine.close();
  await dir[Symbol.asyncDispose]();
});

const MOST_64 = 2n ** 63n - 1n;

/** What fits, what just fits, and what does not. */
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 12n }) },
  { weight: 2, arbitrary: fc.constantFrom(0n, -7n, MOST_64 - 1n, MOST_64, MOST_64 + 1n, -MOST_64 - 1n, -MOST_64 - 2n) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }) },
);

const amountOrNone = fc.option(amount, { freq: 2 });
const rarely = <T>(value: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary: value });
const tokens = fc.oneof(
  fc.integer({ min: -50, max: 5_000 }),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 40),
);

const entry = fc.record({
  effective_at: fc.constantFrom('2026-10-31 23:59:07.001', '2026-10-31 00:00:00.000', '2026-11-01 00:00:00.000'),
  model: fc.constantFrom('a', 'b'),
  provider: fc.constantFrom('openai', 'sandbox'),
  kind: fc.constantFrom('attempt', 'correction', 'adjustment'),
  status: fc.constantFrom('ok', 'interrupted'),
  cost_state: fc.constantFrom(...COST_STATES),
  resolves: rarely(fc.constantFrom('', ...COST_STATES), ''),
  counts_call: fc.constantFrom(0, 1, 1, 2),
  cost: amountOrNone,
  list_cost: amountOrNone,
  billed: amountOrNone,
  at_risk: rarely(amountOrNone, null),
  moved_cost: rarely(amount, 0n),
  input_tokens: tokens,
  output_tokens: tokens,
  latency_ms: fc.constantFrom(0, 12, 2 ** 32 - 1),
});

type Entry = Record<string, string | number | bigint | null>;

async function keep(entries: readonly Entry[]): Promise<void> {
  await connection.run(`TRUNCATE TABLE ${ENTRIES}`);
  const lines = entries.map((fields, at) =>
    JSON.stringify({ node_id: 'n', seq: at + 1, ...fields }, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  );
  await connection.run(`INSERT INTO ${ENTRIES} FORMAT JSONEachRow\n${lines.join('\n')}`);
}

/** What its own column says of each entry, added up. */
const BY_COLUMN = `[${SUMMED.map((name) => `toString(coalesce(sum(toInt128(${name})), 0))`).join(', ')}] AS sums`;
const BY_PART = "CAST(sumForEach(part), 'Array(String)') AS sums";

const ALL = { columns: [{ as: 'g', sql: 'model' }], summed: SUMMED, order: 'narrow_seq', wide: 'some' } as const;

describe('entries summed up while they are read', () => {
  it('come to what their columns come to, however large, negative, absent and odd the amounts are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 40 }), async (entries) => {
        await keep(entries);
        const rows = partRowsOf({ ...ALL, time: 'toDate(quarter)', where: 'seq > 0' });
        const parts = `SELECT g, t, toUInt32(max(seq)) AS newest, ${BY_PART} FROM (${rows}) GROUP BY g, t ORDER BY g, t`;
        const plainly = `SELECT model AS g, toDate(quarter) AS t, toUInt32(max(seq)) AS newest, ${BY_COLUMN} FROM ${ENTRIES} GROUP BY g, t ORDER BY g, t`;
        assert.deepEqual(await connection.rows(parts), await connection.rows(plainly));
      }),
      { numRuns: 40 },
    );
  });

  it('come to the same where most of them are in cells', async () => {
    const set = cellSet('day', ['model']);
    await connection.run(createCells(set));
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 40 }), fc.nat(40), async (entries, through) => {
        await keep(entries);
        await connection.run(`TRUNCATE TABLE ${set.table}`);
        await connection.run(cellStatement(1, { nodeId: 'n', first: 1, through }, set));
        const cells = { table: set.table, where: 'run = 1', rest: `seq > ${through}` };
        const rows = partRowsOf({ ...ALL, time: 'toDate(quarter)', where: 'seq > 0', cells });
        const parts = `SELECT g, t, toUInt32(max(seq)) AS newest, ${BY_PART} FROM (${rows}) GROUP BY g, t ORDER BY g, t`;
        const plainly = `SELECT model AS g, toDate(quarter) AS t, toUInt32(max(seq)) AS newest, ${BY_COLUMN} FROM ${ENTRIES} GROUP BY g, t ORDER BY g, t`;
        assert.deepEqual(await connection.rows(parts), await connection.rows(plainly));
      }),
      { numRuns: 30 },
    );
  });

  it('are few rows, and wide ones stand by themselves', async () => {
    const plain = {
      effective_at: '2026-10-31 10:00:00',
      model: 'a',
      kind: 'attempt',
      cost_state: 'exact',
      counts_call: 1,
    };
    await keep([
      { ...plain, cost: 5n },
      { ...plain, cost: 6n, effective_at: '2026-10-31 20:00:00' },
      { ...plain, cost: 2n ** 64n },
      { ...plain, cost: 1n, at_risk: 2n, moved_cost: 3n },
    ]);
    const rows = await connection.rows(
      `SELECT toUInt32(seq) AS newest, CAST(part, 'Array(String)') AS sums
       FROM (${partRowsOf({ ...ALL, columns: [], summed: ['cost', 'entry_count'], time: null, where: '1' })}) ORDER BY newest, sums`,
    );
    assert.deepEqual(rows, [
      { newest: 3, sums: [String(2n ** 64n), '1'] },
      { newest: 4, sums: ['1', '1'] },
      { newest: 4, sums: ['11', '2'] },
    ]);
    const [wide] = await connection.rows(
      `SELECT count() AS n, sum(narrow_cost) AS cost FROM ${ENTRIES} WHERE traits = ${WIDE}`,
    );
    assert.deepEqual(wide, { n: 2, cost: 0 });
  });
});
