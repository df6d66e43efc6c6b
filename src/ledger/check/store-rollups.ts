import { summedRows } from '../store/sums/coverage.ts';
import { SUMMED, SUMS } from '../store/sums/schema.ts';
import { ENTRIES } from '../store/schema.ts';
import type { Findings } from './finding.ts';
import type { StoreSession } from './store-session.ts';

const TOTALS = SUMMED.map((name) => `toString(coalesce(sum(toInt128(${name})), 0)) AS s_${name}`).join(', ');

/** For every dimension that is summed up, the sums come to what the entries come to, each amount and count of it. @returns how many */
export async function checkRollUps(store: StoreSession, nodeId: string, findings: Findings): Promise<number> {
  const dimensions = store.summed.dimensions(nodeId);
  for (const dimension of dimensions) {
    const { through } = store.summed.of(nodeId, dimension);
    const rows = summedRows(store.summed, dimension, { nodeId, seq: through, at: null });
    const [sums] = await store.query<Totals>(`SELECT ${TOTALS} FROM ${SUMS} WHERE ${rows?.sums ?? '0'}`);
    const [entries] = await store.query<Totals>(`SELECT ${TOTALS} FROM ${ENTRIES} WHERE NOT (${rows?.rest ?? '1'})`);
    for (const name of SUMMED) {
      const [has, owed] = [sums?.[`s_${name}`], entries?.[`s_${name}`]];
      if (has !== owed)
        findings.fault('store.rollups', `${name} summed up by ${dimension} is ${has}, of the entries ${owed}`);
    }
  }
  return dimensions.length;
}

type Totals = Readonly<Record<string, string>>;
