import { join } from 'node:path';
import { costs, parseCostsQuery } from '#analytics';
import { openPassingReader } from '#ledger/read';
import { boundariesIn, createShipper, openStore, quarantineIn } from '#ledger/store';
import { systemClock } from '#std';

/**
 * The part of the ledger process that has the store, as a process to be measured and killed: it ships a journal that its parent writes, and
 * asks itself for a report again and again, to tell how far reports see.
 * Arguments: data folder, node.
 */
export type Told =
  | { readonly is: 'ready'; readonly calls: number }
  | { readonly is: 'seen'; readonly calls: number; readonly through: number };

const [dir = '', nodeId = ''] = process.argv.slice(2);

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const storeDir = join(dir, 'store');
const store = await openStore({ path: storeDir }, { log: quiet, clock: systemClock });
const shipper = createShipper({
  nodeId,
  reader: openPassingReader(join(dir, 'journal')),
  store,
  boundaries: boundariesIn(storeDir),
  quarantine: quarantineIn(storeDir),
  clock: systemClock,
  log: quiet,
});
const deps = {
  store: { query: store.query, asOf: () => shipper.asOf(), sums: store.sums, cells: store.cells, wide: store.wide },
};

async function callsSeen(): Promise<number> {
  const all = { start_date: '2020-01-01', end_date: '2100-01-01', group_by: 'provider' };
  return (await costs(deps, parseCostsQuery(all, systemClock.now()))).summary.total_events;
}

function tell(told: Told): void {
  process.send?.(told);
}

process.on('message', (durable: number) => shipper.wake(durable));
process.on('disconnect', () => process.exit(0));
tell({ is: 'ready', calls: await callsSeen() });

let seen = -1;
for (;;) {
  const { seq } = shipper.asOf();
  if (seq !== seen) {
    seen = seq;
    tell({ is: 'seen', calls: await callsSeen(), through: seq });
  } else await new Promise((resolve) => setTimeout(resolve, 5));
}
