import { join } from 'node:path';
import type { Clock } from '#std';
import { openEntryReader, type EntryReader } from '../journal/entry-reader.ts';
import { boundariesIn } from '../store/boundaries.ts';
import type { Log } from '../store/log.ts';
import { quarantineIn } from '../store/quarantine.ts';
import { createShipper, type Shipper, type ShipperState } from '../store/shipper.ts';
import type { Store } from '../store/store.ts';
import { listAdopted, type AdoptedNode } from './adoption.ts';

export type AdoptedShippingDeps = {
  readonly dataDir: string;
  readonly storeDir: string;
  readonly store: Pick<Store, 'insert' | 'totals' | 'ranges' | 'forget' | 'reached'>;
  readonly clock: Clock;
  readonly log: Log;
  /** How often to look for nodes that were adopted since. */
  readonly everyMs?: number;
};

/** Ships the entries of adopted nodes as our own are shipped: each node with boundaries of its own, each entry once. */
export type AdoptedShipping = {
  /** By node id, those adopted since included. */
  states(): ReadonlyMap<string, ShipperState>;
  /** Resolves when every entry of every adopted node is in the store or in quarantine. */
  idle(): Promise<void>;
  close(): Promise<void>;
};

const EVERY_MS = 10_000;

export function shipAdopted(deps: AdoptedShippingDeps): AdoptedShipping {
  const shippers = new Map<string, { readonly shipper: Shipper; readonly reader: EntryReader }>();
  const look = (): void => {
    for (const node of listAdopted(deps.dataDir)) {
      if (shippers.has(node.nodeId)) continue;
      deps.log.info(
        { node_id: node.nodeId, entries: node.lastSeq },
        'the entries of an adopted node are in this ledger',
      );
      shippers.set(node.nodeId, start(node, deps));
    }
  };
  look();
  const timer = setInterval(look, deps.everyMs ?? EVERY_MS).unref();
  return {
    states() {
      look();
      return new Map(Array.from(shippers, ([nodeId, { shipper }]) => [nodeId, shipper.state()]));
    },
    async idle() {
      look();
      await Promise.all(Array.from(shippers.values(), ({ shipper }) => shipper.idle()));
    },
    async close() {
      clearInterval(timer);
      for (const { shipper, reader } of shippers.values()) {
        await shipper.close();
        reader.close();
      }
    },
  };
}

function start({ nodeId, journalDir, lastSeq }: AdoptedNode, { storeDir, store, clock, log }: AdoptedShippingDeps) {
  const dir = join(storeDir, 'adopted', nodeId);
  const reader = openEntryReader(journalDir);
  const shipper = createShipper({
    nodeId,
    reader,
    store,
    boundaries: boundariesIn(dir),
    quarantine: quarantineIn(dir),
    clock,
    log,
  });
  shipper.wake(lastSeq);
  return { shipper, reader };
}
