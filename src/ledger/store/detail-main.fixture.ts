import { systemClock, type TimestampMs } from '#std';
import { openEngine } from './connection.ts';
import { retireDetail } from './detail.ts';

/** Begins to take the detail, and is gone in the moment the engine has so many statements of it. */
const [path = '', before = '', statements = ''] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const engine = await openEngine({ path }, { log: silent, clock: systemClock });
const connection = engine.connect();
let left = Number(statements);
const dying = {
  ...connection,
  run: async (sql: string): Promise<void> => {
    await connection.run(sql);
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
};
await retireDetail(dying, Number(before) as TimestampMs, new AbortController().signal);
process.kill(process.pid, 'SIGKILL');
