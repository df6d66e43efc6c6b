import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreReader } from '#analytics';
import { createTurns } from '#jobs';
import { openStore } from '#ledger/store';
import { systemClock } from '#std';
import { NO_QUIRKS, USAGE_READERS } from '#wires';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';
import type { GivenPrices } from '../pricing.fixture.ts';
import { SILENT } from '../silent.fixture.ts';
import { storeCalls, type SeedCall } from '../stored-calls.fixture.ts';

/** Administration over a store with these calls in it. Corrections go to the store at once: there is no journal between. */
export async function openAdminWithCalls(calls: readonly SeedCall[], given: GivenPrices = {}): Promise<OpenAdmin> {
  const path = await mkdtemp(join(tmpdir(), 'apportion-prices-'));
  const store = await openStore({ path }, { log: SILENT, clock: systemClock });
  await storeCalls(store, calls);
  let seq = calls.length;
  const reader: StoreReader = {
    query: (sql, params, options) => store.query(sql, params, options),
    asOf: () => ({ nodeId: 'node', seq, at: null }),
  };
  const admin = await openAdmin(reader, {
    ...given,
    jobs: (accounts, current) => ({
      store: reader,
      prices: () => current().prices,
      reader: (wire) => USAGE_READERS[wire],
      quirks: () => NO_QUIRKS,
      append: async (entries) => {
        const lines = entries.map(({ body }, at) =>
          Buffer.from(`{"node_id":"node","seq":${seq + at + 1},${body.slice(1)}`),
        );
        await store.insert({ nodeId: 'node', first: seq + 1, last: seq + lines.length, generation: 0, lines });
        seq += lines.length;
      },
      untilStored: () => Promise.resolve(),
      audit: accounts.audit,
      clock: systemClock,
      newId: (of) => `${of}_${seq}`,
      inTurn: createTurns(),
    }),
  });
  return {
    ...admin,
    close: async () => {
      await admin.close();
      await store.close();
      await rm(path, { recursive: true });
    },
  };
}
