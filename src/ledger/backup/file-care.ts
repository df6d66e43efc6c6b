import { join } from 'node:path';
import type { Clock } from '#std';
import { createSegmentKeeper, type SegmentKeeper } from '../journal/segment-keeper.ts';
import type { Log } from '../store/log.ts';
import type { Store } from '../store/store.ts';
import { shipAdopted, type AdoptedShipping } from './adopted-shipping.ts';

export type FileCareDeps = {
  readonly dataDir: string;
  readonly nodeId: string;
  readonly storeDir: string;
  readonly store: Pick<Store, 'insert' | 'totals' | 'ranges' | 'forget' | 'reached'>;
  readonly journal: { readonly compress: boolean; readonly retentionDays: number | null };
  /** The last entry that nobody has to read from the journal any more: it is shipped, and chained. */
  readonly released: () => number;
  readonly clock: Clock;
  readonly log: Log;
};

/** What is done to a node's files while its server runs. */
export type FileCare = {
  readonly segments: SegmentKeeper;
  readonly adopted: AdoptedShipping;
  /** Before the store is closed. */
  close(): Promise<void>;
};

const DAY_MS = 24 * 60 * 60 * 1000;

/** One for a data directory, in the process that has its store. */
export function careForFiles({ journal, released, ...deps }: FileCareDeps): FileCare {
  const { dataDir, nodeId, store, clock, log } = deps;
  const { compress, retentionDays } = journal;
  const segments = createSegmentKeeper({
    dir: join(dataDir, 'journal'),
    compress,
    retention:
      retentionDays === null
        ? null
        : { ageMs: retentionDays * DAY_MS, released, stored: (range) => store.totals(nodeId, range) },
    clock,
    log,
  });
  const adopted = shipAdopted(deps);
  return {
    segments,
    adopted,
    async close() {
      await segments.close();
      await adopted.close();
    },
  };
}
