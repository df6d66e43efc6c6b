import type { Clock } from '#std';
import type { AsOf } from '../shipper.ts';
import { bind } from '../bind.ts';
import type { Connection } from '../connection.ts';
import type { Log } from '../log.ts';
import type { OwnColumns } from '../own-columns.ts';
import { Coverage, readCoverage, summedRows, type SummedRows } from './coverage.ts';
import { dimensionsFor, statementsOf, type Dimension } from './dimension.ts';
import { CREATE_SUM_RUNS, CREATE_SUMS, SUM_RUNS, SUMS } from './schema.ts';
import { sumStatement, totalStatement, type SumRange } from './sum-statement.ts';

/** Sums by a dimension, as long as they stand. */
export type Summed = SummedRows & {
  /** False once rows that `sums` finds may be gone: what was read of them does not count. */
  readonly stands: () => boolean;
};

export type SummingDeps = {
  readonly connection: Connection;
  readonly log: Log;
  readonly clock: Clock;
  /** Tags with columns of their own: they are summed up by their values, which are read there. */
  readonly columns: Pick<OwnColumns, 'keys' | 'narrow'>;
  /** Entries that are summed up together at least: fewer are as quickly read. */
  readonly runEntries: number;
};

type Total = { readonly entries: string; readonly cost: string };

/** Entries of one statement at most, so that a store that comes from before does not take all memory. */
const MOST_RUNS = 5;

/** A bounded dimension with more sums than a quarter of its entries is read as it is. */
const MOST_SUMS_OF_ENTRIES = 0.25;
/** Fewer sums than this are always kept. */
const FEW_SUMS = 1_000;

/**
 * Sums of entries by sequence number, not by time: an entry is in the sums or still read by itself, whenever it comes and whatever hour it is
 * of, so late entries and corrections are exact without anything being reckoned up again.
 *
 * Holds: a run counts when its row stands in `sum_runs`, which is written last, after its sums were compared with the entries; rows
 * of other runs are seen by nobody. What fails is done again as another run.
 */
export class Summing {
  readonly #deps: SummingDeps;
  #coverage = new Coverage();
  /** The last entry of each node that is in the store with all before it. */
  readonly #stored = new Map<string, number>();
  /** Dimensions that have nearly as many sums as entries. */
  readonly #givenUp = new Set<string>();
  #lastRun = 0;
  /** How often sums were taken back. */
  #taken = 0;

  constructor(deps: SummingDeps) {
    this.#deps = deps;
  }

  async load(): Promise<void> {
    const { connection } = this.#deps;
    await connection.run(CREATE_SUMS);
    await connection.run(CREATE_SUM_RUNS);
    this.#coverage = await readCoverage((sql) =>
      connection.rows(`${sql} SETTINGS output_format_json_quote_64bit_integers=0`),
    );
    this.#lastRun = Math.max(0, ...this.#coverage.runs().map(({ run }) => run));
  }

  /** Null where nothing is summed up by it, or more than the report shall see. */
  of(name: string, asOf: AsOf): Summed | null {
    const rows = summedRows(this.#coverage, name, asOf);
    const taken = this.#taken;
    return rows === null ? null : { ...rows, stands: () => this.#taken === taken };
  }

  /** Everything of the node up to `last` is in the store. */
  stored(nodeId: string, last: number): void {
    this.#stored.set(nodeId, Math.max(last, this.#stored.get(nodeId) ?? 0));
  }

  /** Sums up what there is enough of. */
  async sumUp(signal: AbortSignal): Promise<void> {
    for (const [nodeId, stored] of this.#stored) {
      for (let next = this.#next(nodeId, stored); next !== null; next = this.#next(nodeId, stored)) {
        await this.#run(next.range, next.dimensions, signal);
        if (signal.aborted) return;
      }
    }
  }

  /**
   * Nothing of the node from `first` on is summed up any more. Values that were in its sums are gone when this resolves, those of runs that
   * never came to stand included.
   */
  async forget(nodeId: string, first = 1): Promise<void> {
    const { connection } = this.#deps;
    if (first === 1) this.#stored.delete(nodeId);
    const stay = this.#coverage.runs().filter((run) => run.nodeId !== nodeId || run.through < first);
    const numbers = stay.map(({ run }) => run).join(', ');
    const gone = numbers === '' ? '1' : `run NOT IN (${numbers})`;
    this.#taken += 1;
    this.#coverage = new Coverage(stay);
    for (const table of [SUM_RUNS, SUMS]) {
      const [found] = await connection.rows<{ rows: string }>(
        `SELECT toString(count()) AS rows FROM ${table} WHERE ${gone}`,
      );
      if (found?.rows !== '0')
        await connection.run(`ALTER TABLE ${table} DELETE WHERE ${gone} SETTINGS mutations_sync=2`);
    }
  }

  /** The dimensions that are furthest behind, up to where the next ones are. */
  #next(nodeId: string, stored: number): { range: SumRange; dimensions: readonly Dimension[] } | null {
    const { runEntries } = this.#deps;
    const behind = this.#dimensions().map((dimension) => ({
      dimension,
      through: this.#coverage.of(nodeId, dimension.name).through,
    }));
    const through = Math.min(...behind.map((one) => one.through));
    if (stored - through < runEntries) return null;
    const further = behind.map((one) => one.through).filter((other) => other > through);
    return {
      range: { nodeId, first: through + 1, through: Math.min(stored, through + runEntries * MOST_RUNS, ...further) },
      dimensions: behind.filter((one) => one.through === through).map(({ dimension }) => dimension),
    };
  }

  async #run(range: SumRange, dimensions: readonly Dimension[], signal: AbortSignal): Promise<void> {
    const { connection, columns, clock, log } = this.#deps;
    const run = Math.max(clock.now(), this.#lastRun + 1);
    this.#lastRun = run;
    for (const together of statementsOf(dimensions)) {
      if (signal.aborted) return;
      await connection.run(columns.narrow(sumStatement(run, range, together)));
    }
    const { kept, entries } = await this.#proven(run, range, dimensions);
    await connection.run(
      bind(
        `INSERT INTO ${SUM_RUNS} (run, node_id, first, through, dimensions, entries)
         VALUES ({run:UInt64}, {node:String}, {first:UInt64}, {through:UInt64}, {dimensions:Array(String)}, {entries:UInt64})`,
        { run, node: range.nodeId, first: range.first, through: range.through, dimensions: kept, entries },
      ),
    );
    this.#coverage.add({ run, ...range, dimensions: kept });
    log.info({ ...range, dimensions: kept.length }, 'entries are summed up');
  }

  /** The dimensions whose sums are those of the entries, and few enough. */
  async #proven(
    run: number,
    range: SumRange,
    dimensions: readonly Dimension[],
  ): Promise<{ readonly kept: readonly string[]; readonly entries: number }> {
    const { connection, log } = this.#deps;
    const sums = await connection.rows<Total & { dimension: string; rows: string }>(
      `SELECT dimension, toString(count()) AS rows, toString(sum(entry_count)) AS entries, toString(sum(cost)) AS cost
       FROM ${SUMS} WHERE run = ${run} GROUP BY dimension`,
    );
    const found = new Map(sums.map((sum) => [sum.dimension, sum]));
    const [total] = await connection.rows<Total>(totalStatement(range));
    const kept = dimensions.filter(({ name, per, bounded }) => {
      const sum = found.get(name);
      // An entry with two labels costs twice by label: what lists cost is compared by the doctor.
      if (sum?.entries !== total?.entries || (per !== 'day' && sum?.cost !== total?.cost)) {
        log.error({ ...range, dimension: name, sum, total }, 'sums differ from their entries and are not used');
        return false;
      }
      return !bounded || Number(sum?.rows) <= Math.max(FEW_SUMS, Number(total?.entries) * MOST_SUMS_OF_ENTRIES);
    });
    for (const { name } of dimensions) if (!kept.some((one) => one.name === name)) this.#givenUp.add(name);
    return { kept: kept.map(({ name }) => name), entries: Number(total?.entries) };
  }

  #dimensions(): readonly Dimension[] {
    return dimensionsFor(this.#deps.columns.keys()).filter(({ name }) => !this.#givenUp.has(name));
  }
}
