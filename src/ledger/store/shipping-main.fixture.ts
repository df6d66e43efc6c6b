import { join } from 'node:path';
import { systemClock } from '#std';
import { boundariesIn } from './boundaries.ts';
import { quarantineIn } from './quarantine.ts';
import { entryFile, keptLog } from './sample.fixture.ts';
import { createShipper } from './shipper.ts';
import { openStore } from './store.ts';

// Run by shipping-kill.test.ts: ships a journal, and kills itself at the step that it is told. Steps are counted before, during
// and after each effect on disk or in the store.
const [dir = '', killAtText = ''] = process.argv.slice(2);
const killAt = Number(killAtText);
let step = 0;

function passStep(): void {
  step += 1;
  if (step === killAt) process.kill(process.pid, 'SIGKILL');
}

async function steps<T>(effect: () => Promise<T>): Promise<T> {
  passStep();
  const result = effect();
  setImmediate(passStep);
  const value = await result;
  passStep();
  return value;
}

const log = keptLog();
const store = await openStore({ path: dir }, { log, clock: systemClock });
const boundaries = boundariesIn(dir);
const quarantine = quarantineIn(dir);
const journal = entryFile(join(dir, 'journal'));
const shipper = createShipper({
  nodeId: 'node_a',
  reader: journal.reader,
  store: {
    ...store,
    insert: (batch) => steps(() => store.insert(batch)),
    forget: (nodeId, after) => steps(() => store.forget(nodeId, after)),
  },
  boundaries: { read: () => boundaries.read(), write: (shipping) => steps(() => boundaries.write(shipping)) },
  quarantine: { ...quarantine, put: (refused) => steps(() => quarantine.put(refused)) },
  clock: systemClock,
  log,
});
shipper.wake(journal.bodies().length);
await shipper.idle();
await shipper.close();
await store.close();
