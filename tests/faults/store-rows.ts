import { join } from 'node:path';
import { ENTRIES, openStore } from '#ledger/store';
import { systemClock } from '#std';
import { rowText } from './ledger-of-record.ts';

const PAGE = 50_000;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Row = { seq: string; entry_id: string; cost_state: string; cost: string | null; at_risk: string | null };

/** Every row of the store of a gateway that has stopped, in order, read past all reports. */
export async function readStoreRows(dataDir: string): Promise<string[]> {
  const store = await openStore({ path: join(dataDir, 'store') }, { log: SILENT, clock: systemClock });
  const rows: string[] = [];
  try {
    for (let page: Row[] = [], after = -1; after < 0 || page.length === PAGE;) {
      page = await store.query<Row>(
        `SELECT toString(seq) AS seq, entry_id, cost_state, toString(cost) AS cost, toString(at_risk) AS at_risk
FROM ${ENTRIES} ORDER BY entries.seq, entry_id LIMIT ${PAGE} OFFSET {from:UInt64}`,
        { from: rows.length },
      );
      after = rows.length;
      for (const row of page) rows.push(rowText(Number(row.seq), row));
    }
    return rows;
  } finally {
    await store.close();
  }
}
