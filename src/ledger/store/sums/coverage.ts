import type { AsOf } from '../shipper.ts';
import { quote } from '../bind.ts';
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
}

/** Where to find what by one dimension: rows of `sums`, and the entries that are in none of them. Both are conditions. */
export type SummedRows = { readonly sums: string; readonly rest: string; readonly per: Dimension['per'] };

/** Null where nothing is summed up by the dimension, or more than a report shall see. */
export function summedRows(coverage: Coverage, dimension: string, asOf: AsOf): SummedRows | null {
  const covered = coverage
    .nodes()
    .map((nodeId) => ({ nodeId, ...coverage.of(nodeId, dimension) }))
    .filter(({ through }) => through > 0);
  if (covered.length === 0) return null;
  if (covered.some(({ nodeId, through }) => nodeId === asOf.nodeId && through > asOf.seq)) return null;
  const runs = covered.flatMap((node) => node.runs);
  return {
    sums: `dimension = ${quote(dimension)} AND run IN (${runs.join(', ')})`,
    rest: covered.map(({ nodeId, through }) => `(node_id != ${quote(nodeId)} OR seq > ${through})`).join(' AND '),
    per: unitOf(dimension),
  };
}

/**
 * The runs that stand and have all their rows: files that were damaged are set aside by the engine, with the rows in them.
 * @param read rows of a SELECT, 64-bit integers as numbers
 */
export async function readCoverage(read: <T>(sql: string) => Promise<T[]>): Promise<Coverage> {
  const runs = await read<SumRun & { entries: number }>(
    `SELECT run, node_id AS nodeId, first, through, dimensions, entries FROM ${SUM_RUNS}`,
  );
  const sums = await read<{ of: string; entries: number }>(
    `SELECT concat(toString(run), ' ', dimension) AS of, sum(entry_count) AS entries FROM ${SUMS} GROUP BY run, dimension`,
  );
  const found = new Map(sums.map(({ of, entries }) => [of, entries]));
  return new Coverage(
    runs.filter(({ run, entries, dimensions }) =>
      dimensions.every((dimension) => found.get(`${run} ${dimension}`) === entries),
    ),
  );
}
