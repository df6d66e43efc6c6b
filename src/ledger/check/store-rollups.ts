import { CELL_SUMS, NARROW_SUMS } from '../store/narrow-columns.ts';
import type { AsOf } from '../store/shipper.ts';
import { isCellTable } from '../store/sums/cells.ts';
import { coveredRows, summedRows } from '../store/sums/coverage.ts';
import { isListed, LISTED_SUMMED, listedRows } from '../store/sums/listed.ts';
import { SUMMED, SUMS } from '../store/sums/schema.ts';
import { ENTRIES } from '../store/schema.ts';
import type { Findings } from './finding.ts';
import type { StoreSession } from './store-session.ts';

/** For every dimension that is summed up, the sums come to what the entries come to, each amount and count of it. @returns how many */
export async function checkRollUps(store: StoreSession, nodeId: string, findings: Findings): Promise<number> {
  const dimensions = store.summed.dimensions(nodeId);
  for (const dimension of dimensions) {
    const { through } = store.summed.of(nodeId, dimension);
    if (isCellTable(dimension)) {
      await checkCells(store, { table: dimension, asOf: { nodeId, seq: through, at: null } }, findings);
      continue;
    }
    const rows = summedRows(store.summed, dimension, { nodeId, seq: through, at: null });
    if (rows === null) continue;
    const { names, from } = entriesSummedBy(dimension, `NOT (${rows.rest})`);
    const totals = totalsOf(names);
    const [sums] = await store.query<Totals>(`SELECT ${totals} FROM ${SUMS} WHERE ${rows.sums}`);
    const [entries] = await store.query<Totals>(`SELECT ${totals} FROM ${from}`);
    for (const name of names) {
      const [has, owed] = [sums?.[`s_${name}`], entries?.[`s_${name}`]];
      if (has !== owed)
        findings.fault('store.rollups', `${name} summed up by ${dimension} is ${has}, of the entries ${owed}`);
    }
  }
  return dimensions.length;
}

/** For each combination of `traits`, cells come to what the entries come to. */
async function checkCells(
  store: StoreSession,
  { table, asOf }: { readonly table: string; readonly asOf: AsOf },
  findings: Findings,
): Promise<void> {
  const rows = coveredRows(store.summed, table, asOf);
  if (rows === null) return;
  const read = async (sums: string, from: string): Promise<ReadonlyMap<string, string>> => {
    const found = await store.query<{ traits: number; name: string; sum: string }>(
      `SELECT n_traits AS traits, item.1 AS name, toString(item.2) AS sum FROM (SELECT ${sums} FROM ${from} GROUP BY traits)
       ARRAY JOIN [${CELL_SUMS_COMPARED}] AS item`,
    );
    return new Map(found.map(({ traits, name, sum }) => [`${name} of traits ${traits}`, sum]));
  };
  const cells = await read(CELL_SUMS, `${table} WHERE ${rows.sums}`);
  const entries = await read(NARROW_SUMS, `${ENTRIES} WHERE NOT (${rows.rest})`);
  for (const what of new Set([...cells.keys(), ...entries.keys()])) {
    const [has, owed] = [cells.get(what) ?? '0', entries.get(what) ?? '0'];
    if (has !== owed) findings.fault('store.rollups', `${what} in ${table} is ${has}, of the entries ${owed}`);
  }
}

const CELL_SUMS_COMPARED = ['n_count', 'n_cost', 'n_billed', 'n_aside', 'n_input', 'n_output', 'n_waited']
  .map((name) => `('${name}', toInt128(${name}))`)
  .join(', ');

type Totals = Readonly<Record<string, string>>;

function totalsOf(names: readonly string[]): string {
  return names.map((name) => `toString(coalesce(sum(toInt128(${name})), 0)) AS s_${name}`).join(', ');
}

/** What is summed up by a dimension, and the entries it is the sum of: those with a list of values count once for each. */
function entriesSummedBy(
  dimension: string,
  where: string,
): { readonly names: readonly string[]; readonly from: string } {
  if (!isListed(dimension)) return { names: SUMMED, from: `${ENTRIES} WHERE ${where}` };
  return { names: ['entry_count', ...LISTED_SUMMED], from: `(${listedRows([dimension], where)})` };
}
