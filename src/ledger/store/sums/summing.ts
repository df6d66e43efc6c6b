import { invariant, type Clock } from '#std';
import type { AsOf } from '../shipper.ts';
import { bind } from '../bind.ts';
import type { Connection } from '../connection.ts';
import type { Log } from '../log.ts';
import type { OwnColumns } from '../own-columns.ts';
import { CellSets, type CellsAsked } from './cell-sets.ts';
import {
  cellColumnsIn,
  cellStatement,
  cellTotals,
  createCells,
  dropCells,
  isCellTable,
  readCellSets,
  type CellSet,
  type Unit,
} from './cells.ts';
import { Coverage, coveredRows, readCoverage, summedRows, type SummedRows } from './coverage.ts';
import { dimensionsFor, statementsOf, type Dimension } from './dimension.ts';
import { CREATE_SUM_RUNS, CREATE_SUMS, SUM_RUNS, SUMS } from './schema.ts';
import type { SumRange } from './sum-range.ts';
import { sumStatement, totalStatement } from './sum-statement.ts';

/** Sums by a dimension, as long as they stand. */
export type Summed = SummedRows & {
  /** False once rows that `sums` finds may be gone: what was read of them does not count. */
  readonly stands: () => boolean;
};

/** A table with cells of some entries, and the entries that are in none: both are conditions. */
export type Cells = {
  readonly table: string;
  readonly per: Unit;
  /** How many there are. */
  readonly count: number;
  readonly cells: string;
  readonly rest: string;
  /** See `Summed`. */
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
  /** There is more to sum up than before. */
  readonly onAsked: () => void;
};

type Total = { readonly entries: string; readonly cost: string; readonly narrowCost: string };

/** What a run sums up: by dimensions, and to cells. */
type Wanted = { readonly dimensions: readonly Dimension[]; readonly sets: readonly CellSet[] };

/** Entries of one statement at most, so that a store that comes from before does not take all memory. */
const MOST_RUNS = 5;

/** A bounded dimension with more sums than a quarter of its entries is read as it is. */
const MOST_SUMS_OF_ENTRIES = 0.25;
/** Fewer sums than this are always kept. */
const FEW_SUMS = 1_000;
/** Cells are as quick to read as entries: of a set with more of them than these is no use. */
const MOST_CELLS_OF_ENTRIES = 0.6;
/** So many are read in no time: for fewer columns than they tell apart nobody needs fewer of them. */
const FEW_CELLS = 200_000;

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
  readonly #sets: CellSets;
  /** How many rows of sums there are by a dimension, and in a table of cells. */
  readonly #rows = new Map<string, number>();
  #lastRun = 0;
  /** How often sums were taken back. */
  #taken = 0;

  constructor(deps: SummingDeps) {
    this.#deps = deps;
    this.#sets = new CellSets(deps.clock);
  }

  async load(): Promise<void> {
    const { connection } = this.#deps;
    await connection.run(CREATE_SUMS);
    await connection.run(CREATE_SUM_RUNS);
    const read = <T>(sql: string): Promise<T[]> =>
      connection.rows<T>(`${sql} SETTINGS output_format_json_quote_64bit_integers=0`);
    const sets = await readCellSets(read);
    this.#sets.load(sets);
    const { coverage, rows } = await readCoverage(
      read,
      sets.map(({ table }) => table),
    );
    this.#coverage = coverage;
    for (const [name, count] of rows) this.#rows.set(name, count);
    this.#lastRun = Math.max(0, ...this.#coverage.runs().map(({ run }) => run));
  }

  /** Null where nothing is summed up by it, or more than the report shall see. */
  of(name: string, asOf: AsOf): Summed | null {
    const rows = summedRows(this.#coverage, name, asOf);
    return rows === null ? null : { ...rows, stands: this.#standing() };
  }

  /**
   * Cells that tell apart what SQL over entries is about; null for none. Where there are none, or many of a set for something else, one for just
   * this is made if it is asked for again.
   *
   * @param sql conditions and columns
   */
  cells(sql: string, per: Unit, asOf: AsOf): Cells | null {
    const columns = cellColumnsIn(this.#deps.columns.narrow(sql));
    if (columns === null) return null;
    const [found] = this.#sets
      .for({ per, columns })
      .flatMap((set) => {
        const rows = coveredRows(this.#coverage, set.table, asOf);
        return rows === null ? [] : [{ set, rows, count: this.#rows.get(set.table) ?? 0 }];
      })
      .toSorted((left, right) => left.count - right.count);
    // Does nothing where there is a set for just this.
    if (found === undefined || found.count > FEW_CELLS) this.#ask({ per, columns });
    if (found === undefined) return null;
    const { set, rows, count } = found;
    this.#sets.used(set);
    return { table: set.table, per: set.per, count, cells: rows.sums, rest: rows.rest, stands: this.#standing() };
  }

  #ask(asked: CellsAsked): void {
    const isWorthIt = [...this.#stored.values()].some((stored) => stored >= this.#deps.runEntries);
    if (isWorthIt && this.#sets.ask(asked)) this.#deps.onAsked();
  }

  #standing(): () => boolean {
    const taken = this.#taken;
    return () => this.#taken === taken;
  }

  /** Everything of the node up to `last` is in the store. */
  stored(nodeId: string, last: number): void {
    this.#stored.set(nodeId, Math.max(last, this.#stored.get(nodeId) ?? 0));
  }

  /** Sums up what there is enough of. */
  async sumUp(signal: AbortSignal): Promise<void> {
    for (const { table } of this.#sets.unused()) await this.#drop(table);
    for (const [nodeId, stored] of this.#stored) {
      for (let next = this.#next(nodeId, stored); next !== null; next = this.#next(nodeId, stored)) {
        await this.#run(next.range, next.wanted, signal);
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
    this.#coverage = new Coverage(stay).without(isCellTable);
    // Made anew from the first entry on, which is quicker than taking rows out of each.
    this.#rows.clear();
    for (const { table } of this.#sets.all()) await connection.run(dropCells(table));
    for (const table of [SUM_RUNS, SUMS]) {
      const [found] = await connection.rows<{ rows: string }>(
        `SELECT toString(count()) AS rows FROM ${table} WHERE ${gone}`,
      );
      if (found?.rows !== '0')
        await connection.run(`ALTER TABLE ${table} DELETE WHERE ${gone} SETTINGS mutations_sync=2`);
    }
  }

  /** What is furthest behind, up to where the next ones are. */
  #next(nodeId: string, stored: number): { range: SumRange; wanted: Wanted } | null {
    const { runEntries } = this.#deps;
    const throughOf = (name: string): number => this.#coverage.of(nodeId, name).through;
    const dimensions = this.#dimensions();
    const sets = this.#sets.all();
    const all = [...dimensions.map(({ name }) => throughOf(name)), ...sets.map(({ table }) => throughOf(table))];
    const through = Math.min(...all);
    if (stored - through < runEntries) return null;
    const further = all.filter((other) => other > through);
    return {
      range: { nodeId, first: through + 1, through: Math.min(stored, through + runEntries * MOST_RUNS, ...further) },
      wanted: {
        dimensions: dimensions.filter(({ name }) => throughOf(name) === through),
        sets: sets.filter(({ table }) => throughOf(table) === through),
      },
    };
  }

  async #run(range: SumRange, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { connection, columns, clock, log } = this.#deps;
    const run = Math.max(clock.now(), this.#lastRun + 1);
    this.#lastRun = run;
    for (const together of statementsOf(wanted.dimensions)) {
      if (signal.aborted) return;
      await connection.run(columns.narrow(sumStatement(run, range, together)));
    }
    const sets: CellSet[] = [];
    for (const set of wanted.sets) {
      if (signal.aborted) return;
      if (await this.#areMade(run, range, set)) sets.push(set);
    }
    const { kept, entries } = await this.#proven(run, range, { ...wanted, sets });
    await connection.run(
      bind(
        `INSERT INTO ${SUM_RUNS} (run, node_id, first, through, dimensions, entries)
         VALUES ({run:UInt64}, {node:String}, {first:UInt64}, {through:UInt64}, {dimensions:Array(String)}, {entries:UInt64})`,
        { run, node: range.nodeId, first: range.first, through: range.through, dimensions: kept, entries },
      ),
    );
    this.#coverage.add({ run, ...range, dimensions: kept });
    log.info({ ...range, summed: kept.length }, 'entries are summed up');
  }

  /** Cells that cannot be made are given up: sums by dimensions do not wait for them. */
  async #areMade(run: number, range: SumRange, set: CellSet): Promise<boolean> {
    const { connection, log } = this.#deps;
    try {
      await connection.run(createCells(set));
      await connection.run(cellStatement(run, range, set));
      return true;
    } catch (error) {
      log.warn({ err: error, table: set.table }, 'cells could not be made; reports are right, and slower');
      await this.#giveUp(set.table);
      return false;
    }
  }

  /** What is the same as the entries, and little enough. All else is given up. */
  async #proven(
    run: number,
    range: SumRange,
    wanted: Wanted,
  ): Promise<{ readonly kept: readonly string[]; readonly entries: number }> {
    const [total] = await this.#deps.connection.rows<Total>(totalStatement(range));
    invariant(total !== undefined, 'a count without groups is one row');
    const dimensions = await this.#provenDimensions(run, total, wanted.dimensions);
    for (const { name } of wanted.dimensions) if (!dimensions.includes(name)) this.#givenUp.add(name);
    const tables: string[] = [];
    for (const { table } of wanted.sets) {
      if (await this.#isProven(table, run, total)) tables.push(table);
      else {
        this.#deps.log.info({ table }, 'cells are given up: they differ from the entries, or are nearly as many');
        await this.#giveUp(table);
      }
    }
    return { kept: [...dimensions, ...tables], entries: Number(total.entries) };
  }

  async #provenDimensions(run: number, total: Total, wanted: readonly Dimension[]): Promise<readonly string[]> {
    const sums = await this.#deps.connection.rows<Omit<Total, 'narrowCost'> & { dimension: string; rows: string }>(
      `SELECT dimension, toString(count()) AS rows, toString(sum(entry_count)) AS entries, toString(sum(cost)) AS cost
       FROM ${SUMS} WHERE run = ${run} GROUP BY dimension`,
    );
    const found = new Map(sums.map((sum) => [sum.dimension, sum]));
    const kept = wanted.filter(({ name, per, bounded }) => {
      const sum = found.get(name);
      // An entry with two labels costs twice by label: what lists cost is compared by the doctor.
      if (sum?.entries !== total.entries || (per !== 'day' && sum.cost !== total.cost)) {
        this.#deps.log.error({ run, of: name, sum, total }, 'sums differ from their entries and are not used');
        return false;
      }
      const areFew = this.#areFew(name, { rows: sum.rows, entries: total.entries, share: MOST_SUMS_OF_ENTRIES });
      return !bounded || areFew;
    });
    return kept.map(({ name }) => name);
  }

  async #isProven(table: string, run: number, total: Total): Promise<boolean> {
    const [sum] = await this.#deps.connection.rows<Omit<Total, 'cost'> & { rows: string }>(
      cellTotals(table, `run = ${run}`),
    );
    if (sum?.entries !== total.entries || sum.narrowCost !== total.narrowCost) {
      this.#deps.log.error({ run, of: table, sum, total }, 'sums differ from their entries and are not used');
      return false;
    }
    return this.#areFew(table, { rows: sum.rows, entries: total.entries, share: MOST_CELLS_OF_ENTRIES });
  }

  /**
   * With those of one more run, which count from now on. Of all runs: one with corrections of a whole month has nearly as many rows as entries,
   * of whatever dimension.
   */
  #areFew(name: string, run: { readonly rows: string; readonly entries: string; readonly share: number }): boolean {
    const rows = (this.#rows.get(name) ?? 0) + Number(run.rows);
    this.#rows.set(name, rows);
    const before = this.#coverage.nodes().map((nodeId) => this.#coverage.of(nodeId, name).through);
    const entries = before.reduce((sum, through) => sum + through, Number(run.entries));
    return rows <= Math.max(FEW_SUMS, entries * run.share);
  }

  async #giveUp(table: string): Promise<void> {
    this.#sets.refuse(table);
    await this.#drop(table);
  }

  /** Reports that were reading it ask again. */
  async #drop(table: string): Promise<void> {
    this.#sets.drop(table);
    this.#taken += 1;
    this.#rows.delete(table);
    this.#coverage = this.#coverage.without((name) => name === table);
    await this.#deps.connection.run(dropCells(table));
  }

  #dimensions(): readonly Dimension[] {
    return dimensionsFor(this.#deps.columns.keys()).filter(({ name }) => !this.#givenUp.has(name));
  }
}
