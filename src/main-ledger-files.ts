import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from '#accounts';
import type { Alerts } from '#alerts';
import { openBatchFolder, type BatchFolder } from '#batches';
import type { Config } from '#config';
import { createErasures, retainDetail, type DetailRetention, type Erasures, type InTurn } from '#jobs';
import { careForFiles, listAdopted, type FileCare } from '#ledger/backup';
import { followWithChain, type Chain } from '#ledger/chain';
import { ErasureLog, eraseJournalsInThread, eraseQuarantine, eraseRows, removeStoresAside } from '#ledger/erase';
import type { Store } from '#ledger/store';
import type { Log } from '#observe';
import type { Rotations } from '#processes';
import { systemClock } from '#std';

export type LedgerFilesParts = {
  readonly config: Config;
  readonly nodeId: string;
  readonly epoch: number;
  readonly store: Store;
  readonly storeDir: string;
  readonly accounts: Accounts;
  readonly alerts: Alerts;
  readonly rotations: Rotations;
  /** The last entry that is shipped. */
  readonly shipped: () => number;
  readonly untilStored: () => Promise<void>;
  readonly inTurn: InTurn;
  readonly log: Log;
};

/** What is done to the files of the ledger while the server runs: they are chained, compressed, removed when old, erased from, and lose old detail. */
export type LedgerFiles = {
  readonly chain: Chain;
  readonly erasures: Erasures;
  readonly batches: BatchFolder;
  /** Before the store is closed. */
  close(): Promise<void>;
};

export function openLedgerFiles(parts: LedgerFilesParts): LedgerFiles {
  const { config, nodeId, epoch, store, storeDir, log } = parts;
  const chain = followWithChain({ dir: config.dataDir, nodeId, epoch, log });
  const care = careForFiles({
    dataDir: config.dataDir,
    nodeId,
    storeDir,
    store,
    journal: config.journal,
    released: () => Math.min(parts.shipped(), chain.state().seq),
    clock: systemClock,
    log,
  });
  const batches = openBatchFolder(config.dataDir);
  const erasures = openErasures(parts, care, batches);
  const detail = openDetail(parts, care);
  return {
    chain,
    erasures,
    batches,
    async close() {
      await detail?.close();
      await erasures.close();
      await care.close();
      await chain.close();
    },
  };
}

/** Null: it is kept for ever. */
function openDetail(parts: LedgerFilesParts, { adopted }: FileCare): DetailRetention | null {
  const { config, store, inTurn, log } = parts;
  const days = config.store.retentionDays;
  if (days === null) return null;
  const untilStored = async (): Promise<void> => {
    await Promise.all([parts.untilStored(), adopted.idle()]);
  };
  return retainDetail({ days, store, inTurn, untilStored, clock: systemClock, log });
}

function openErasures(parts: LedgerFilesParts, { segments, adopted }: FileCare, batches: BatchFolder): Erasures {
  const { config, store, storeDir, accounts, alerts, rotations, log } = parts;
  const { dataDir } = config;
  return createErasures({
    log: new ErasureLog(dataDir),
    secret: readFileSync(join(dataDir, 'secret.key')),
    inTurn: parts.inTurn,
    alone: (work) => segments.alone(work),
    rotate: () => rotations.rotate(),
    journals: () => [join(dataDir, 'journal'), ...listAdopted(dataDir).map(({ journalDir }) => journalDir)],
    eraseJournals: eraseJournalsInThread,
    untilStored: async () => {
      await Promise.all([parts.untilStored(), adopted.idle()]);
    },
    store: {
      eraseRows: (subject) => eraseRows(store, subject),
      removeAside: async () => {
        await store.identity.dropDetached();
        return removeStoresAside(storeDir);
      },
      replacedFiles: () => store.identity.replacedFiles(),
      keepReplacedFiles: () => store.identity.keepReplacedFiles(),
    },
    eraseQuarantine: (subject) => eraseQuarantine(storeDir, subject),
    forget: async (request) => {
      const told = await alerts.forget(request);
      const asked = await batches.forget(request.holds);
      // After all else in `control.db`: it overwrites what was given back there.
      const known = await accounts.forget(request);
      const stillNamedBy = [...told.stillNamedBy, ...asked.stillNamedBy, ...known.stillNamedBy];
      return { rows: told.rows + asked.rows + known.rows, stillNamedBy };
    },
    audit: accounts.audit,
    clock: systemClock,
    tell: log,
  });
}
