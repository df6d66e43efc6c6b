import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#std';
import { ENTRIES } from '#ledger/store';
import { openEngine } from '../../src/ledger/store/connection.ts';
import { openStore } from '../../src/ledger/store/store.ts';
import { attemptsStatement, correctionsStatement, SEED_NODE, type SeedPlan } from './rows.ts';

const CHUNK_ROWS = 250_000;

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

export type Seeded = {
  readonly entries: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly mbOnDisk: number;
};

/** Fills a store that has nothing yet; one that has rows is left as it is. */
export async function seedStore(path: string, plan: SeedPlan): Promise<Seeded> {
  const deps = { log: QUIET, clock: systemClock };
  // Makes the tables, as any start does.
  await (await openStore({ path }, deps)).close();
  const engine = await openEngine({ path }, deps);
  const connection = engine.connect();
  const rows = async (): Promise<number> =>
    Number((await connection.rows<{ n: string }>(`SELECT toString(count()) AS n FROM ${ENTRIES}`))[0]?.n);
  try {
    const startedAt = systemClock.elapsedMs();
    if ((await rows()) === 0) {
      for (let from = 0; from < plan.attempts; from += CHUNK_ROWS) {
        await connection.run(attemptsStatement(plan, from, Math.min(CHUNK_ROWS, plan.attempts - from)));
      }
      await connection.run(correctionsStatement(plan));
    }
    await keep(path, await rows());
    const seconds = (systemClock.elapsedMs() - startedAt) / 1000;
    const entries = await rows();
    return {
      entries,
      seconds,
      rowsPerSecond: Math.round(entries / seconds),
      mbOnDisk: Math.round((await bytesIn(path)) / 1e6),
    };
  } finally {
    await connection.close();
    await engine.close();
  }
}

/** What a running store has done by the time it has so many entries: columns of frequent tags, sums by each dimension. */
async function keep(path: string, entries: number): Promise<void> {
  const store = await openStore({ path }, { log: QUIET, clock: systemClock });
  await store.tune();
  store.reached(SEED_NODE, entries);
  await store.kept();
  const running = async (): Promise<boolean> => {
    const [row] = await store.query<{ n: number }>('SELECT count() AS n FROM system.mutations WHERE NOT is_done');
    return row?.n !== 0;
  };
  while (await running()) await delay(200);
  await store.close();
}

async function bytesIn(path: string): Promise<number> {
  const files = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) =>
        stat(join(file.parentPath, file.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
