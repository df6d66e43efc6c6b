import { systemClock, type TimestampMs } from '#std';
import { totalsOf } from '../store/shipment.ts';
import { readEntries } from './entry-reader.ts';
import { retireOldest } from './retention.ts';

// Run by retention.test.ts under a tracer that kills it: removes two segments. Argument: the journal folder.
const [dir = ''] = process.argv.slice(2);
const entries = Array.from(readEntries(dir));
const now = (systemClock.now() + 1) as TimestampMs;
for (let count = 0; count < 2; count += 1) {
  await retireOldest(
    dir,
    {
      ageMs: 0,
      released: () => entries.length,
      stored: ({ first, last }) => Promise.resolve(totalsOf(entries.filter(({ seq }) => seq >= first && seq <= last))),
    },
    now,
  );
}
