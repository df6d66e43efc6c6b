import { BatchBook, openBatchFolder } from '#batches';
import type { Config } from '#config';
import { BatchCollector, type GatewayDeps, type Upstreams } from '#gateway';
import type { DataDir, Journal } from '#ledger';
import type { Log } from '#observe';
import type { Prices } from '#pricing';
import { systemClock } from '#std';
import { NO_QUIRKS } from '#wires';

type BatchParts = {
  readonly config: Config;
  readonly dataDir: DataDir;
  readonly journal: Journal;
  readonly upstreams: Upstreams;
  readonly prices: () => Prices;
  readonly log: Log;
};

/** Batches that an earlier process left unfinished are looked at from now on. */
export async function openBatches(
  parts: BatchParts,
): Promise<GatewayDeps['batches'] & { readonly collector: BatchCollector }> {
  const { config, dataDir, journal, upstreams, prices, log } = parts;
  const folder = openBatchFolder(dataDir.path);
  const quirksOf = new Map(config.providers.map(({ name, quirks }) => [name, quirks]));
  const book = await BatchBook.open({
    folder,
    journal,
    journalDir: dataDir.journalDir,
    prices,
    quirks: (provider) => quirksOf.get(provider) ?? NO_QUIRKS,
    clock: systemClock,
  });
  const { pollMs } = config.batches;
  const collector = new BatchCollector({ book, folder, upstreams, pollMs, clock: systemClock, log });
  return { book, folder, collector, durableSeq: () => journal.durable().seq };
}
