import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readBudget, readSnapshot, type BudgetRecord } from '#accounts';
import { BudgetBook, countsSince, findBudgetFault, LimitBook, type Budget, type CellRow } from '#budgets';
import { formatUsd, type PicoUsd } from '#terms';
import type { TimestampMs } from '#std';
import { CatchUp, lastEntryBefore } from '../journal/catch-up.ts';
import { readCheckpoint, type Checkpoint } from '../journal/checkpoint.ts';
import { retiredThrough } from '../journal/retired.ts';
import { readNode } from '../node-file.ts';
import type { Findings } from './finding.ts';

/** `compared` is null where there is nothing that both the file and the journal know. */
export type CounterFigures = { readonly counters: number | null; readonly compared: number | null };

const FILE = 'journal/counters.json';

/**
 * Counts again, from the journal, what the saved counters of budgets say was spent. Of windows that are over, and of entries that are gone or
 * lost a value, only the file knows. What is counted beside them, calls that run and rates, is no longer what it was.
 */
export async function checkCounters(dir: string, now: TimestampMs, findings: Findings): Promise<CounterFigures> {
  const saved = readSaved(dir);
  if (saved === null) return { counters: null, compared: null };
  const counters = saved.rows.cells.length;
  const journalDir = join(dir, 'journal');
  // Counted under the value, which the entries have no more.
  if (hasErasures(join(dir, 'erasures'))) return { counters, compared: null };
  const series = await countedSeries(dir, saved, now);
  const earliest = Math.min(...series.values());
  if (series.size === 0 || lastEntryBefore(journalDir, timeOf(earliest)) < retiredThrough(journalDir))
    return { counters, compared: null };
  const cells = countAgain(journalDir, { saved, budgets: [...series.keys()], earliest, now });
  if (cells === null) return { counters, compared: null };
  const current = new Map(Array.from(series, ([{ id }, since]) => [id, since]));
  const names = new Map(Array.from(series.keys(), (budget) => [seriesOf(budget), budget.id]));
  const isCurrent = ({ series: key, start }: CellRow): boolean =>
    start >= (current.get(names.get(key) ?? '') ?? Number.MAX_VALUE);
  const recorded = spentOf(cells.filter(isCurrent), names);
  const counted = spentOf(saved.rows.cells.filter(isCurrent), names);
  for (const place of new Set([...recorded.keys(), ...counted.keys()])) {
    // A counter that is not there has counted nothing.
    const [has, should] = [counted.get(place) ?? NOTHING, recorded.get(place) ?? NOTHING];
    if (has === should) continue;
    findings.fault('budgets.spent', `${place}: ${formatUsd(has)} USD are counted, and ${formatUsd(should)} recorded`, {
      file: FILE,
    });
  }
  return { counters, compared: counted.size };
}

const NOTHING = 0n as PicoUsd;

function hasErasures(dir: string): boolean {
  return existsSync(dir) && readdirSync(dir).length > 0;
}

/** As the next start would read it: null where that counts everything again. */
function readSaved(dir: string): Checkpoint | null {
  try {
    const node = readNode(dir);
    return node === null ? null : readCheckpoint(join(dir, 'journal'), { nodeId: node.node_id, epoch: node.epoch });
  } catch {
    // An identity that cannot be read is told by the check of the journal.
    return null;
  }
}

/** Budgets in force that the file counts, and since when their calls count now. */
async function countedSeries(dir: string, saved: Checkpoint, now: TimestampMs): Promise<ReadonlyMap<Budget, number>> {
  // One that cannot be read is told by the check of the control plane.
  const snapshot = await readSnapshot(join(dir, 'control-snapshot.json')).catch(() => null);
  const counted = new Set(saved.rows.series);
  const budgets = (snapshot?.budgets ?? [])
    .flatMap(soundBudget)
    // Which values others name changes with them, and what was counted stays.
    .filter(({ scope }) => scope.every((condition) => !('values' in condition && condition.values.kind === 'unlisted')))
    .filter((budget) => counted.has(seriesOf(budget)));
  return new Map(budgets.map((budget) => [budget, countsSince(budget.window, now) ?? 0]));
}

/** A rule that a server would leave out is left out here. */
function soundBudget(record: BudgetRecord): Budget[] {
  try {
    const budget = readBudget(record);
    return findBudgetFault(budget) === null ? [budget] : [];
  } catch {
    return [];
  }
}

function seriesOf(budget: Budget): string {
  const book = new BudgetBook();
  book.replace([budget]);
  return book.rows().series.join();
}

type Counting = {
  readonly saved: Checkpoint;
  readonly budgets: readonly Budget[];
  readonly earliest: number;
  readonly now: TimestampMs;
};

/** Null where the journal cannot be read up to there, which other checks tell. */
function countAgain(dir: string, { saved, budgets, earliest, now }: Counting): readonly CellRow[] | null {
  const books = { budgets: new BudgetBook(), limits: new LimitBook() };
  books.budgets.replace(budgets);
  const catchUp = new CatchUp(dir, { books, after: lastEntryBefore(dir, timeOf(earliest)) });
  try {
    for (let before = -1; !catchUp.step(saved.seq, now); before = catchUp.after)
      if (catchUp.after === before) return null;
    return books.budgets.rows().cells;
  } catch {
    return null;
  } finally {
    catchUp.close();
  }
}

function timeOf(earliest: number): TimestampMs | null {
  return earliest === 0 ? null : (earliest as TimestampMs);
}

/** By what a person reads: the budget, of which value, and since when it counts. */
function spentOf(cells: readonly CellRow[], names: ReadonlyMap<string, string>): ReadonlyMap<string, PicoUsd> {
  return new Map(
    cells.map(({ series, instance, start, spent }) => [
      [`budget ${names.get(series) ?? series}`, ...instance, `since ${new Date(start).toISOString()}`].join(' '),
      BigInt(spent) as PicoUsd,
    ]),
  );
}
