import { systemClock } from '#std';
import { openEngine } from '../connection.ts';
import { keptLog } from '../sample.fixture.ts';

/** Runs a statement in a store that nobody has open. */
export async function changeStore(path: string, sql: string): Promise<void> {
  const engine = await openEngine({ path }, { log: keptLog(), clock: systemClock });
  const connection = engine.connect();
  await connection.run(sql);
  await connection.close();
  await engine.close();
}
