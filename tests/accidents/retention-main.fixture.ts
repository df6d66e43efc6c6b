// Fills a store, takes the detail of all its entries, and says what that took at most.
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock, type TimestampMs } from '#std';
import { ENTRIES, openStore } from '#ledger/store';
import { planFor } from '../../bench/seed/rows.ts';
import { seedStore } from '../../bench/seed/seed-store.ts';

const [path = '', entries = ''] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

function memoryMb(name: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Math.round(Number(found?.[1]) / 1024);
}

await seedStore(path, planFor(Number(entries)));
const store = await openStore({ path }, { log: silent, clock: systemClock });
const costs = async (): Promise<string> => {
  const [row] = await store.query<{ cost: string }>(`SELECT toString(sum(cost)) AS cost FROM ${ENTRIES}`);
  return row?.cost ?? '';
};
const owed = await costs();
// The highest figure so far is that of filling it: from here on anew.
writeFileSync('/proc/self/clear_refs', '5');
const before = memoryMb('VmRSS');
const { entries: retired } = await store.retireDetail(Date.UTC(2100, 0) as TimestampMs, new AbortController().signal);
const moreMb = memoryMb('VmHWM') - before;
process.stdout.write(JSON.stringify({ retired, moreMb, same: (await costs()) === owed }));
await store.close();
