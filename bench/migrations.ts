import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ENTRIES, openStore } from '#ledger/store';
import { systemClock } from '#std';
import { openEngine, type Connection } from '../src/ledger/store/connection.ts';
import { FIRST_SCHEMA } from '../src/ledger/store/first-schema.fixture.ts';
import { say } from './report.ts';
import { seededStore } from './seed/seeded.ts';

const deps = { log: { info: () => {}, warn: () => {}, error: () => {} }, clock: systemClock };

/** How long a store of the first released schema takes to be brought up to date: until it answers, and until its files are rewritten. */
export async function benchMigrations([size = '1000000', ...more]: readonly string[]): Promise<void> {
  const entries = Number(size);
  if (more.length > 0 || !Number.isSafeInteger(entries))
    throw new Error('"migrations" is followed by a number of entries');
  const dir = await mkdtemp(join(tmpdir(), 'apportion-bench-'));
  try {
    await seededStore(dir, entries);
    await withConnection(dir, toFirstSchema);
    say(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);
    const startedAt = systemClock.elapsedMs();
    const store = await openStore({ path: dir }, deps);
    say(`${entries} entries of the first schema: reports after ${seconds(startedAt)} s`);
    for (;;) {
      const [row] = await store.query<{ n: number }>('SELECT count() AS n FROM system.mutations WHERE NOT is_done');
      if (row?.n === 0) break;
      await delay(200);
    }
    say(`files rewritten, behind reports, after ${seconds(startedAt)} s`);
    const [row] = await store.query<{ n: string; cost: string }>(
      `SELECT toString(count()) AS n, toString(sum(cost)) AS cost FROM ${ENTRIES}`,
    );
    say(`${row?.n} entries, ${row?.cost} pico-dollars, as before`);
    await store.close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The seeded entries as the first release would have stored them. */
async function toFirstSchema(connection: Connection): Promise<void> {
  const [before] = await connection.rows<{ cost: string }>(`SELECT toString(sum(cost)) AS cost FROM ${ENTRIES}`);
  await connection.run(`RENAME TABLE ${ENTRIES} TO seeded`);
  await connection.run(FIRST_SCHEMA);
  const columns = await connection.rows<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '${ENTRIES}' AND default_kind = ''`,
  );
  const names = columns.map(({ name }) => name).join(', ');
  await connection.run(
    `INSERT INTO ${ENTRIES} (${names}) SELECT ${names} FROM seeded SETTINGS max_threads=1, max_insert_threads=1, max_memory_usage=2000000000`,
  );
  const [after] = await connection.rows<{ cost: string }>(`SELECT toString(sum(cost)) AS cost FROM ${ENTRIES}`);
  if (before?.cost !== after?.cost) throw new Error('the first schema does not hold what was seeded');
  await connection.run('DROP TABLE seeded SYNC');
  for (const table of ['sums', 'sum_runs']) await connection.run(`DROP TABLE IF EXISTS ${table} SYNC`);
  await connection.run('TRUNCATE TABLE schema_versions');
  await connection.run("INSERT INTO schema_versions (version, what) VALUES (1, 'the entries table')");
}

async function withConnection(path: string, work: (connection: Connection) => Promise<void>): Promise<void> {
  const engine = await openEngine({ path }, deps);
  const connection = engine.connect();
  await work(connection);
  await connection.close();
  await engine.close();
}

function seconds(sinceMs: number): string {
  return ((systemClock.elapsedMs() - sinceMs) / 1000).toFixed(1);
}
