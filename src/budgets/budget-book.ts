import { invariant, type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import {
  fitsIn,
  judge,
  refuse,
  type Admission,
  type Refusal,
  type Reserve,
  type Short,
  type Shortfall,
  type Verdict,
} from './admission.ts';
import { findBudgetFault } from './rule-faults.ts';
import { shortfallOf } from './shortfall.ts';
import { fromHoldRow, toCellRow, toHoldRow, type BookRows, type CellRow, type HoldRow } from './book-rows.ts';
import { budgetSeriesKey, isEnforced, type Budget } from './budget.ts';
import { CounterTable } from './counter-table.ts';
import { type Cell } from './counter.ts';
import { type Lease, type LeaseBook, type LeaseRow, type LeaseWant, type Share } from './lease-book.ts';
import { heldBy, holdFor, type Hold } from './hold.ts';
import { inForce, ScopeIndex, type Match, type Series } from './scope-index.ts';
import { type Counts, type PlainCondition, type ScopedCall } from './scope.ts';
import { crossingsOf, standingOf, type Crossing, type Standing } from './standing.ts';
import { committed, negated, NO_CHANGE, type TallyChange } from './tally.ts';
import { type Window } from './window.ts';

/** What one series counts: the ledger is asked for its spending with this. */
export type SeriesSpec = {
  readonly key: string;
  readonly conditions: readonly PlainCondition[];
  readonly counts: Counts;
  readonly window: Window;
};

/** What an amount did to the budgets it was counted in. */
export type Posting = { readonly crossings: readonly Crossing[] };

/** An attempt that ended, as its entry says: for a book that did not hold it while it ran. */
export type EndedCall = {
  readonly id: string;
  readonly call: ScopedCall;
  /** The attempt's start: decides the window. */
  readonly at: TimestampMs;
  readonly cost: PicoUsd | null;
  /** The bound it was admitted with. */
  readonly reserved: PicoUsd | null;
  readonly now: TimestampMs;
};

/** A signed amount that no reservation covered: late ingest, a correction, an adjustment. */
export type Correction = {
  /** Who and what the corrected call was. */
  readonly call: ScopedCall;
  readonly delta: PicoUsd;
  /** Decides the window. */
  readonly effectiveAt: TimestampMs;
  readonly now: TimestampMs;
};

/**
 * Instances of one series: a caller who invents values must not fill the memory. What comes after shares one instance, and
 * with it one limit.
 */
const MOST_INSTANCES = 1_000_000;

const NO_SERIES: ReadonlySet<string> = new Set();

export type BookOptions = { readonly mostInstances?: number; readonly leases?: LeaseBook | null };

/** All counters of a node, for one thread. Nothing here waits: each method is one step, all or nothing. */
export class BudgetBook {
  #index = new ScopeIndex<Budget>([], budgetSeriesKey);
  readonly #table: CounterTable;
  readonly #holds = new Map<string, Hold>();

  readonly #leases: LeaseBook | null;

  /** @param leases where other nodes count towards the same budgets */
  constructor({ mostInstances = MOST_INSTANCES, leases = null }: BookOptions = {}) {
    this.#table = new CounterTable(mostInstances);
    this.#leases = leases;
  }

  /**
   * Puts these budgets in force in place of all others. What is counted already is kept; calls that are running are held in
   * new series too. @returns the new series: `adopt` what the ledger has for them up to this moment.
   */
  replace(budgets: readonly Budget[]): readonly SeriesSpec[] {
    for (const budget of budgets) invariant(findBudgetFault(budget) === null, `budget ${budget.id} has no fault`);
    this.#index = new ScopeIndex(budgets, budgetSeriesKey);
    const added = this.#table.keep(this.#index);
    const isNew = new Set(added.map(({ key }) => key));
    for (const hold of this.#holds.values()) {
      hold.cells = hold.cells.filter(({ counter }) => this.#table.has(counter));
      if (isNew.size === 0) continue;
      for (const match of this.#index.matching(hold.call)) {
        if (isNew.has(match.series.key)) this.#attach(hold, this.#table.open(match).open(hold.at));
      }
    }
    return added.map(specOf);
  }

  /** Budgets over something that is not counted here yet. */
  uncounted(budgets: readonly Budget[]): readonly Budget[] {
    return budgets.filter((budget) => !this.#index.series.has(budgetSeriesKey(budget)));
  }

  /**
   * Puts budgets in force of which the new ones were counted by another book, up to this very moment. Calls that run here are
   * held in them too, and those that are in doubt there are in doubt here.
   */
  extend(budgets: readonly Budget[], { cells, holds }: BookRows): void {
    this.replace(budgets);
    this.adopt(cells);
    for (const row of holds) if (!this.#holds.has(row.id)) this.#restoreHold(row, NO_SERIES);
  }

  /** Counts what the ledger says was spent before a series was. Rows of series that no budget has are left out. */
  adopt(rows: readonly CellRow[]): void {
    for (const row of rows) {
      const counter = this.#table.restored(row.series, row.instance);
      const change = { ...NO_CHANGE, spent: BigInt(row.spent), overrun: BigInt(row.overrun), unpriced: row.unpriced };
      counter?.add(counter.restoredCell(row.start as TimestampMs), change);
    }
  }

  rows(): BookRows {
    const cells = [...this.#table].flatMap((counter) => [...counter.cells].map(toCellRow));
    return { series: [...this.#index.series.keys()], cells, holds: Array.from(this.#holds.values(), toHoldRow) };
  }

  /** Takes up, in an empty book, what another one knew. @returns the series it did not count, as `replace` does */
  restore(rows: BookRows, budgets: readonly Budget[]): readonly SeriesSpec[] {
    invariant(this.#holds.size === 0, 'rows are restored into an empty book');
    const counted = new Set(rows.series);
    const added = this.replace(budgets).filter(({ key }) => !counted.has(key));
    this.adopt(rows.cells);
    const isNew = new Set(added.map(({ key }) => key));
    for (const row of rows.holds) this.#restoreHold(row, isNew);
    return added;
  }

  #restoreHold(row: HoldRow, added: ReadonlySet<string>): void {
    const hold = fromHoldRow(row);
    this.#holds.set(hold.id, hold);
    for (const { series, instance, start } of row.cells) {
      const counter = this.#table.restored(series, instance);
      if (counter !== undefined) this.#attach(hold, counter.restoredCell(start as TimestampMs));
    }
    for (const match of this.#index.matching(hold.call)) {
      if (added.has(match.series.key)) this.#attach(hold, this.#table.open(match).open(hold.at));
    }
  }

  #attach(hold: Hold, cell: Cell): void {
    hold.cells.push(cell);
    cell.counter.add(cell, heldBy(hold));
    if (hold.state === 'running') cell.open += 1;
  }

  /** Holds the call's money in every budget it falls in, or in none. */
  reserve(wanted: Reserve): Admission | Short {
    invariant(!this.#holds.has(wanted.id), 'an attempt is reserved once');
    const matches = this.#index.matching(wanted.call);
    const admission = this.#decide(wanted, matches);
    if (admission.kind === 'admitted') this.#hold(wanted, matches);
    return admission;
  }

  /** What `reserve` would say now; nothing is held. */
  peek(wanted: Reserve): Admission | Short {
    return this.#decide(wanted, this.#index.matching(wanted.call));
  }

  #decide(wanted: Reserve, matches: readonly Match<Budget>[]): Admission | Short {
    const refusals: Refusal[] = [];
    const over: Shortfall[] = [];
    const wants: LeaseWant[] = [];
    let clamp: bigint | null = null;
    for (const match of matches) {
      const counter = this.#table.find(match);
      const tally = counter?.tallyAt(wanted.at) ?? NO_CHANGE;
      for (const budget of this.#index.rulesFor(match.series, wanted.call, wanted.at)) {
        const span = this.#table.spanAt(match.series.key, wanted.at);
        const share = { budget, seriesKey: match.series.key, instance: counter?.instance ?? match.instance, span };
        const enforced = isEnforced(budget, wanted.call);
        const alone = judge(budget, tally, wanted);
        const shared = enforced ? this.#judgeShare({ share, tally, wanted }, alone) : alone;
        if ('share' in shared) {
          wants.push(shared);
          continue;
        }
        const verdict = shared;
        if (enforced && (clamp === null || verdict.room < clamp)) clamp = verdict.room;
        if (verdict.reason === null) continue;
        const elsewhere = this.#leases?.elsewhere(share) ?? 0n;
        const shortfall = (): Shortfall =>
          shortfallOf(budget, { match, counter, span, tally, verdict, elsewhere }, wanted.at);
        if (enforced) refusals.push({ budget, verdict, shortfall });
        else over.push(shortfall());
      }
    }
    if (refusals.length > 0) return refuse(refusals, clamp, wanted.call);
    return wants.length > 0 ? { kind: 'short', wants } : { kind: 'admitted', over };
  }

  /** What a budget says whose limit other nodes spend too: a call that fits in the limit has to fit in the lease as well. */
  #judgeShare({ share, tally, wanted }: Sharing, alone: Verdict): Verdict | LeaseWant {
    const leases = this.#leases;
    if (leases === null || alone.reason !== null || wanted.bound === 0n) return alone;
    const room = leases.room(share, tally);
    if (room === null) return { ...alone, reason: 'unreachable', room: 0n };
    if (fitsIn(room, alone)) return { ...alone, room };
    if (wanted.final === true) return { ...alone, reason: leases.isReachable ? 'exceeded' : 'unreachable', room };
    return leases.want(share, tally, { needed: alone.needed ?? 1n, at: wanted.at });
  }

  take(leases: readonly Lease[]): void {
    for (const lease of leases) this.#leases?.take(lease);
  }

  /** Gives back what is not needed of the leases of these shares. */
  trim(shares: readonly string[] | 'all', now: TimestampMs): void {
    for (const share of this.#leases?.shares(shares) ?? []) this.#leases?.trim(share, this.#tallyOf(share, now));
  }

  /** How this node stands to these shares, to those it knows, or to all that it has spent or leased of, which it knows from then on. */
  leaseRows(shares: readonly string[] | 'known' | 'all', now: TimestampMs): readonly LeaseRow[] {
    const leases = this.#leases;
    if (leases === null) return [];
    if (shares === 'all') for (const share of this.#spentOf(now)) leases.know(share);
    return leases
      .shares(shares === 'known' ? 'all' : shares)
      .filter(({ seriesKey, budget, span }) => {
        // Of a window that is over nothing is leased any more.
        return this.#index.series.has(seriesKey) && (budget.window.kind === 'rolling' || span.end > now);
      })
      .map((share) => leases.row(share, this.#tallyOf(share, now), now));
  }

  *#spentOf(now: TimestampMs): Iterable<Share> {
    for (const { seriesKey, instance } of this.#table) {
      const span = this.#table.spanAt(seriesKey, now);
      for (const budget of this.#index.series.get(seriesKey)?.rules ?? []) {
        const binds = budget.mode !== 'observe' && budget.action.kind !== 'warn' && inForce(budget, now);
        if (binds) yield { budget, seriesKey, instance, span };
      }
    }
  }

  #tallyOf({ seriesKey, instance }: Share, now: TimestampMs): TallyChange {
    const series = this.#index.series.get(seriesKey);
    const counter = series === undefined ? undefined : this.#table.find({ series, instance });
    return counter?.tallyAt(now) ?? NO_CHANGE;
  }

  /** Holds a call that runs already, whatever is left. */
  hold(running: Reserve): void {
    invariant(!this.#holds.has(running.id), 'an attempt is held once');
    this.#hold(running, this.#index.matching(running.call));
  }

  #hold(wanted: Reserve, matches: readonly Match<Budget>[]): void {
    const hold = holdFor(wanted);
    this.#holds.set(hold.id, hold);
    for (const match of matches) this.#attach(hold, this.#table.open(match).open(wanted.at));
  }

  /** Whether a call runs or is in doubt. */
  holds(id: string): boolean {
    return this.#holds.has(id);
  }

  /** Counts an attempt that was not held here, as `settle` would have: windows that are over are left to the ledger. */
  count({ id, call, at, cost, reserved, now }: EndedCall): Posting {
    invariant(!this.#holds.has(id), 'an attempt that is held is settled');
    const cells = this.#index.matching(call).flatMap((match) => this.#table.open(match).cellOf(at, now) ?? []);
    const hold: Hold = { id, call, at, most: reserved, likely: reserved, state: 'running', cells: [] };
    if (cells.length === 0 && cost !== null) return { crossings: [] };
    this.#holds.set(id, hold);
    for (const cell of cells) this.#attach(hold, cell);
    return this.settle(id, cost) ?? { crossings: [] };
  }

  /**
   * The call ended, also after it was in doubt. A cost of null is one that no price is known for: what was held counts on as
   * in doubt; where nothing was, the call is counted as unpriced. @returns undefined when nothing is held for the id
   */
  settle(id: string, cost: PicoUsd | null): Posting | undefined {
    const hold = this.#holds.get(id);
    if (hold === undefined) return undefined;
    if (cost === null && hold.most !== null) return this.markInDoubt(id);
    this.#holds.delete(id);
    if (cost === null) return this.#change(hold, { ...NO_CHANGE, unpriced: 1 });
    invariant(cost >= 0n, 'a call costs nothing or something');
    const beyond = hold.most === null ? cost : cost - hold.most;
    return this.#change(hold, { ...NO_CHANGE, spent: cost, overrun: beyond > 0n ? beyond : 0n });
  }

  /** The call has cost nothing. */
  release(id: string): Posting | undefined {
    return this.settle(id, picoUsd(0n));
  }

  /** The call may have been billed, and nobody knows how much: what was held for it counts until it is settled. */
  markInDoubt(id: string): Posting | undefined {
    const hold = this.#holds.get(id);
    if (hold === undefined || hold.state === 'in_doubt') return hold === undefined ? undefined : { crossings: [] };
    return this.#change(hold, heldBy({ ...hold, state: 'in_doubt' }), 'in_doubt');
  }

  /** Gives back what is held, and counts `change` in its place. */
  #change(hold: Hold, change: TallyChange, becomes: Hold['state'] | 'settled' = 'settled'): Posting {
    const given = negated(heldBy(hold));
    const net = {
      spent: change.spent,
      most: given.most,
      likely: given.likely,
      atRisk: change.atRisk + given.atRisk,
      overrun: change.overrun,
      unbounded: change.unbounded + given.unbounded,
      unpriced: change.unpriced,
    };
    const wasRunning = hold.state === 'running';
    if (becomes === 'in_doubt') hold.state = becomes;
    const crossings: Crossing[] = [];
    for (const cell of hold.cells) {
      if (wasRunning) cell.open -= 1;
      crossings.push(...this.#post(cell, net, hold));
    }
    return { crossings };
  }

  #post(cell: Cell, change: TallyChange, { call, at }: Pick<Hold, 'call' | 'at'>): readonly Crossing[] {
    const { counter, span } = cell;
    const before = committed(counter.tallyOf(cell));
    counter.add(cell, change);
    const series = this.#index.series.get(counter.seriesKey);
    if (series === undefined || series.rules.every(({ thresholds }) => thresholds.length === 0)) return [];
    const step = { instance: counter.instance, windowId: span.id, at, before, after: counter.tallyOf(cell) };
    return this.#index.rulesFor(series, call, at).flatMap((budget) => crossingsOf(budget, step));
  }

  /** Counts an amount in the windows it belongs to. In a window that is over and no longer kept, only the ledger has it. */
  correct({ call, delta, effectiveAt, now }: Correction): Posting {
    const change = { ...NO_CHANGE, spent: delta, overrun: delta > 0n ? delta : 0n };
    const crossings = this.#index.matching(call).flatMap((match) => {
      const cell = this.#table.open(match).cellOf(effectiveAt, now);
      return cell === undefined ? [] : this.#post(cell, change, { call, at: effectiveAt });
    });
    return { crossings };
  }

  /** Forgets windows that are over and have no running call. @returns their last state */
  expire(now: TimestampMs): readonly CellRow[] {
    this.#leases?.expire(now);
    const over = new Set(this.#table.expire(now));
    if (over.size > 0) {
      for (const [id, hold] of this.#holds) {
        hold.cells = hold.cells.filter((cell) => !over.has(cell));
        // Whatever becomes of it, no budget counts it any more.
        if (hold.state === 'in_doubt' && hold.cells.length === 0) this.#holds.delete(id);
      }
    }
    return Array.from(over, toCellRow);
  }

  /** Every instance that has counted something, for each of its budgets in force, now. */
  standing(now: TimestampMs): readonly Standing[] {
    return [...this.#table].flatMap((counter) => {
      const budgets = this.#index.series.get(counter.seriesKey)?.rules.filter((budget) => inForce(budget, now)) ?? [];
      const span = this.#table.spanAt(counter.seriesKey, now);
      return budgets.map((budget) => standingOf(budget, { counter, span, tally: counter.tallyAt(now) }, now));
    });
  }
}

function specOf({ key, conditions, counts, rules: [budget] }: Series<Budget>): SeriesSpec {
  invariant(budget !== undefined, 'a series has a budget');
  return { key, conditions, counts, window: budget.window };
}

type Sharing = { readonly share: Share; readonly tally: TallyChange; readonly wanted: Reserve };
