import type { AsOf } from '../shipper.ts';
import { quote } from '../bind.ts';
import { LAST_NARROW_SEQ } from '../narrow-columns.ts';
import { cellTotals, isCellTable } from './cells.ts';
import { unitOf, type Dimension } from './dimension.ts';
import { SUM_RUNS, SUMS } from './schema.ts';

/** A run of sums that counts: consecutive entries of a node, and the dimensions they were summed up by. */
export type SumRun = {
  readonly run: number;
  readonly nodeId: string;
  readonly first: number;
  readonly through: number;
  readonly dimensions: readonly string[];
};

/** Up to where a node's entries are summed up by one dimension, and by which runs. */
export type Covered = { readonly through: number; readonly runs: readonly number[] };

const NOTHING: Covered = { through: 0, runs: [] };

/**
 * Which entries need not be read one by one. Of each node and dimension the runs follow one another from entry 1 on; what does not join on
 * (because it was done twice, or what came before it is gone) is left out.
 */
export class Coverage {
  /** By node, then by dimension. */
  readonly #covered = new Map<string, Map<string, Covered>>();
  readonly #runs: SumRun[] = [];

  constructor(runs: readonly SumRun[] = []) {
    for (const run of runs.toSorted((left, right) => left.first - right.first || left.run - right.run)) this.add(run);
  }

  add(added: SumRun): void {
    const { run, nodeId, first, through, dimensions } = added;
    this.#runs.push(added);
    const node = this.#covered.get(nodeId) ?? new Map<string, Covered>();
    this.#covered.set(nodeId, node);
    for (const dimension of dimensions) {
      const before = node.get(dimension) ?? NOTHING;
      if (first === before.through + 1) node.set(dimension, { through, runs: [...before.runs, run] });
    }
  }

  dimensions(nodeId: string): readonly string[] {
    return [...(this.#covered.get(nodeId)?.keys() ?? [])];
  }

  nodes(): readonly string[] {
    return [...this.#covered.keys()];
  }

  of(nodeId: string, dimension: string): Covered {
    return this.#covered.get(nodeId)?.get(dimension) ?? NOTHING;
  }

  runs(): readonly SumRun[] {
    return this.#runs;
  }

  /** The same without what was summed up under some names. */
  without(isGone: (name: string) => boolean): Coverage {
    return new Coverage(
      this.#runs.map((run) => ({ ...run, dimensions: run.dimensions.filter((name) => !isGone(name)) })),
    );
  }
}

/** Where to find what by one dimension: rows of `sums`, and the entries that are in none of them. Both are conditions. */
export type SummedRows = { readonly sums: string; readonly rest: string; readonly per: Dimension['per'] };

/** Null where nothing is summed up by the dimension, or more than a report shall see. */
export function summedRows(coverage: Coverage, dimension: string, asOf: AsOf): SummedRows | null {
  const rows = coveredRows(coverage, dimension, asOf);
  return rows === null
    ? null
    : { sums: `dimension = ${quote(dimension)} AND ${rows.sums}`, rest: rows.rest, per: unitOf(dimension) };
}

/** Conditions on what has the number of its run, and on the entries that no such run has. Null as for `summedRows`. */
export function coveredRows(
  coverage: Coverage,
  name: string,
  asOf: AsOf,
): { readonly sums: string; readonly rest: string } | null {
  const covered = coverage
    .nodes()
    .map((nodeId) => ({ nodeId, ...coverage.of(nodeId, name) }))
    .filter(({ through }) => through > 0);
  if (covered.length === 0) return null;
  if (covered.some(({ nodeId, through }) => nodeId === asOf.nodeId && through > asOf.seq)) return null;
  const runs = covered.flatMap((node) => node.runs);
  return {
    sums: `run IN (${runs.join(', ')})`,
    rest:
      asOf.alone === true && covered.length === 1 && covered[0]?.nodeId === asOf.nodeId
        ? beyond(covered[0].through)
        : covered.map(({ nodeId, through }) => `(node_id != ${quote(nodeId)} OR seq > ${through})`).join(' AND '),
  };
}

/** Where there is one node, the index finds those entries, and the narrow column is read. */
function beyond(through: number): string {
  return through < LAST_NARROW_SEQ ? `indexHint(seq > ${through}) AND narrow_seq > ${through}` : `seq > ${through}`;
}

/**
 * The runs that stand and have all their rows: files that were damaged are set aside by the engine, with the rows in them. What is not there of a
 * table of cells is not there of that table alone.
 *
 * @param read rows of a SELECT, 64-bit integers as numbers
 * @param cellTables those that there are
 * @returns with them how many rows there are by each dimension and in each table
 */
export async function readCoverage(
  read: <T>(sql: string) => Promise<T[]>,
  cellTables: readonly string[],
): Promise<{ readonly coverage: Coverage; readonly rows: ReadonlyMap<string, number> }> {
  const runs = await read<SumRun & { entries: number }>(
    `SELECT run, node_id AS nodeId, first, through, dimensions, entries FROM ${SUM_RUNS}`,
  );
  const found = new Map<string, number>();
  const rows = new Map<string, number>();
  const add = (name: string, sum: { readonly run: number; readonly entries: number; readonly rows: number }): void => {
    found.set(`${sum.run} ${name}`, sum.entries);
    rows.set(name, (rows.get(name) ?? 0) + sum.rows);
  };
  const sums = await read<{ run: number; dimension: string; entries: number; rows: number }>(
    `SELECT run, dimension, sum(entry_count) AS entries, count() AS rows FROM ${SUMS} GROUP BY run, dimension`,
  );
  for (const sum of sums) add(sum.dimension, sum);
  for (const table of cellTables) {
    const totals = await read<{ run: number; entries: string; rows: string }>(cellTotals(table, '1'));
    for (const { run, entries, rows: of } of totals) add(table, { run, entries: Number(entries), rows: Number(of) });
  }
  const coverage = new Coverage(
    runs.flatMap((run) => {
      const has = (name: string): boolean => found.get(`${run.run} ${name}`) === run.entries;
      const dimensions = run.dimensions.filter((name) => !isCellTable(name) || has(name));
      return dimensions.every(has) ? [{ ...run, dimensions }] : [];
    }),
  );
  return { coverage, rows };
}
