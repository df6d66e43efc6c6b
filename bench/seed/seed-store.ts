import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '#std';
import { ENTRIES } from '#ledger/store';
import { openEngine } from '../../src/ledger/store/connection.ts';
import { openStore } from '../../src/ledger/store/store.ts';
import { attemptsStatement, correctionsStatement, type SeedPlan } from './rows.ts';

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
