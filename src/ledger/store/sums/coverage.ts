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
