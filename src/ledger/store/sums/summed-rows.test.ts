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
import { summedRowsOf } from './summed-rows.ts';

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

const SUMS_SQL = SUMMED.map((name) => `toString(coalesce(sum(toInt128(${name})), 0)) AS s_${name}`).join(', ');
const TOLD = 'g, toDate(quarter) AS day';

async function summed(from: string): Promise<unknown[]> {
  return await connection.rows(`SELECT ${TOLD}, ${SUMS_SQL} FROM ${from} GROUP BY ALL ORDER BY ALL`);
}

const COLUMNS = [{ as: 'g', sql: 'model' }];

describe('entries summed up while they are read', () => {
  it('come to what their columns come to, however large, negative, absent and odd the amounts are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 40 }), async (entries) => {
        await keep(entries);
        const rows = summedRowsOf({ columns: COLUMNS, time: 'toDate(quarter)', where: 'seq > 0' });
        const raw = await summed(
          `(SELECT model AS g, * , ${SUMMED.filter((name) => name !== 'cost').join(', ')}, quarter FROM ${ENTRIES})`,
        );
        assert.deepEqual(await summed(`(${rows})`), raw);
      }),
      { numRuns: 40 },
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
      `SELECT seq, toString(cost) AS cost, toUnixTimestamp64Milli(first_at) AS first, toUnixTimestamp64Milli(end_at) AS ended
       FROM (${summedRowsOf({ columns: COLUMNS, time: null, where: '1' })}) ORDER BY seq`,
    );
    const [ten, twenty] = [Date.UTC(2026, 9, 31, 10), Date.UTC(2026, 9, 31, 20)];
    assert.deepEqual(rows, [
      { seq: 2, cost: '11', first: ten, ended: twenty },
      { seq: 3, cost: String(2n ** 64n), first: ten, ended: ten },
      { seq: 4, cost: '1', first: ten, ended: ten },
    ]);
    const [wide] = await connection.rows(
      `SELECT count() AS n, sum(narrow_cost) AS cost FROM ${ENTRIES} WHERE traits = ${WIDE}`,
    );
    assert.deepEqual(wide, { n: 2, cost: 0 });
  });
});
