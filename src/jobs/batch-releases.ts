import type { BatchFolder, BatchRecord } from '#batches';
import { correctionEntry, standsAlready } from '#ledger';
import { makeEntryId, ZERO_USD, type RatedCost } from '#terms';
import { entriesOfCall, withStandings } from './entry-standings.ts';
import type { JobDeps } from './job-deps.ts';

export type BatchReleaseDeps = Pick<JobDeps, 'store' | 'append' | 'untilStored' | 'prices' | 'clock' | 'inTurn'> & {
  readonly folder: Pick<BatchFolder, 'readEnded' | 'finish'>;
};

/**
 * Gives back what was held for batches whose lines all have their entries: the entry of their creation is corrected to nothing, by however it
 * stands. Asked for again after a crash it finds what it did.
 * @returns how many were released
 */
export async function releaseBatches(deps: BatchReleaseDeps): Promise<number> {
  const ended = await deps.folder.readEnded();
  if (ended.length === 0) return 0;
  return deps.inTurn(async () => {
    await deps.untilStored();
    for (const record of ended) await releaseOne(deps, record);
    await deps.untilStored();
    for (const record of ended) await deps.folder.finish(record);
    return ended.length;
  });
}

async function releaseOne(deps: BatchReleaseDeps, { callId, attempt }: BatchRecord): Promise<void> {
  const { store, append, prices, clock } = deps;
  const reading = { store, asOf: store.asOf() };
  const created = makeEntryId(callId, attempt, { kind: 'attempt', n: 0 });
  const entries = await entriesOfCall(reading, callId);
  const original = entries.find(({ entryId }) => entryId === created);
  // Its retention is over in the store, or a restore took it: nothing is held for it any more.
  if (original === undefined) return;
  const [stood] = await withStandings(reading, [original]);
  if (stood === undefined || standsAlready(stood.standing, IN_ITS_LINES, stood.standing.meters)) return;
  const { entryId: id, entry: body } = correctionEntry({
    original,
    standing: stood.standing,
    rated: IN_ITS_LINES,
    meters: stood.standing.meters,
    postedAt: clock.now(),
    reason: 'batch_settled',
    priceBook: prices().version,
  });
  await append([{ id, body }]);
}

/** What a batch costs stands in the entries of its lines. */
const IN_ITS_LINES: RatedCost = {
  state: 'exact',
  cost: ZERO_USD,
  listCost: ZERO_USD,
  billed: ZERO_USD,
  computedCost: ZERO_USD,
  terms: [],
  charges: [],
  unpricedMeters: [],
};
