import type { Clock } from '#std';
import { UNITS_MS, cellSet, type CellSet, type Unit } from './cells.ts';

/** What a kind of report tells apart: of time, and the columns it filters and groups by. */
export type CellsAsked = { readonly per: Unit; readonly columns: ReadonlySet<string> };

/** Each takes some processor time of every entry. */
const MOST_SETS = 48;
/** Who asks for the first time may never ask again. */
const ASKED_BEFORE_MADE = 2;
/** Kinds of reports of which it is known how often they were asked for. */
const MOST_KINDS = 500;
const UNUSED_MS = 7 * 24 * 60 * 60 * 1000;

/** Which sets of cells there are: those for kinds of reports that were asked for more than once, and within the last week. */
export class CellSets {
  readonly #clock: Clock;
  readonly #sets = new Map<string, { readonly set: CellSet; usedAtMs: number }>();
  /** How often a set was asked for that is not made, the one asked for last at the end. */
  readonly #asked = new Map<string, number>();
  /** Those that would have nearly as many cells as there are entries. */
  readonly #refused = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  load(sets: Iterable<CellSet>): void {
    for (const set of sets) this.#sets.set(set.table, { set, usedAtMs: this.#clock.now() });
  }

  all(): readonly CellSet[] {
    return Array.from(this.#sets.values(), ({ set }) => set);
  }

  /** Sets that tell apart all of it. */
  for({ per, columns }: CellsAsked): readonly CellSet[] {
    return this.all().filter(
      (set) => UNITS_MS[set.per] <= UNITS_MS[per] && [...columns].every((name) => set.columns.includes(name)),
    );
  }

  used({ table }: CellSet): void {
    const found = this.#sets.get(table);
    if (found !== undefined) found.usedAtMs = this.#clock.now();
  }

  /** Somebody asks for what no set tells apart, or only a large one. True where one is to be made from now on. */
  ask({ per, columns }: CellsAsked): boolean {
    const set = cellSet(per, columns);
    if (this.#sets.has(set.table) || this.#refused.has(set.table) || this.#sets.size >= MOST_SETS) return false;
    const times = (this.#asked.get(set.table) ?? 0) + 1;
    this.#asked.delete(set.table);
    if (times >= ASKED_BEFORE_MADE) {
      this.load([set]);
      return true;
    }
    this.#asked.set(set.table, times);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MOST_KINDS && oldest !== undefined) this.#asked.delete(oldest);
    return false;
  }

  unused(): readonly CellSet[] {
    const since = this.#clock.now() - UNUSED_MS;
    return Array.from(this.#sets.values()).flatMap(({ set, usedAtMs }) => (usedAtMs < since ? [set] : []));
  }

  drop(table: string): void {
    this.#sets.delete(table);
  }

  refuse(table: string): void {
    this.#sets.delete(table);
    this.#refused.add(table);
  }
}
