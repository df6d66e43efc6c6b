import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { say } from '../report.ts';
import { planFor } from './rows.ts';
import type { Seeded } from './seed-store.ts';

/** A seeded store in `dir`, made by a process of its own, whose memory is not that of the reports. */
export async function seededStore(
  dir: string,
  entries: number,
): Promise<{ readonly startMs: number; readonly days: number; readonly lastSeq: number }> {
  const plan = planFor(entries);
  const child = fork(fileURLToPath(new URL('seed-main.ts', import.meta.url)), [dir, String(entries)]);
  const [seeded]: Seeded[] = await once(child, 'message');
  if (seeded === undefined) throw new Error('nothing was seeded');
  await once(child, 'exit');
  say(
    `seed ${plan.seed}: ${seeded.entries} entries over ${plan.days} days, ${plan.sessions} sessions, ` +
      `${seeded.mbOnDisk} MB on disk${seeded.seconds > 1 ? `, ${seeded.rowsPerSecond} rows/s` : ' (from before)'}`,
  );
  return { startMs: plan.startMs, days: plan.days, lastSeq: seeded.entries };
}
