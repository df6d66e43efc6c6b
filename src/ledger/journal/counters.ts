import {
  BudgetBook,
  countsSince,
  LeaseBook,
  LimitBook,
  type Admission,
  type Budget,
  type Consumption,
  type Crossing,
  type Lease,
  type LeaseRow,
  type LimitAnswer,
  type RateLimit,
  type Short,
  type Standing,
} from '#budgets';
import type { TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { CatchUp, countLater, lastEntryBefore } from './catch-up.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readEntryFacts, readIntentFacts } from './entry-facts.ts';

/** A budget, and since when there can have been calls that fall in it: that of a key, since the key was made. Null: always. */
export type GovernedBudget = { readonly budget: Budget; readonly since: TimestampMs | null };

export type Rules = { readonly budgets: readonly GovernedBudget[]; readonly limits: readonly RateLimit[] };

/** What an attempt probably costs, and what its call takes from rate limits; null for an attempt of a call that has taken already. */
export type Wish = {
  readonly expected: PicoUsd | null;
  readonly takes: Consumption | null;
  /** What is not leased by now will not be. */
  readonly final?: true;
};

/** What became of a wish to start. Only what is admitted has an intent. */
export type Reservation =
  | (Extract<Admission, { readonly kind: 'admitted' }> & { readonly limits: LimitAnswer['standings'] })
  | Exclude<Admission, { readonly kind: 'admitted' }>
  | { readonly kind: 'limited'; readonly answer: Extract<LimitAnswer, { readonly kind: 'refused' }> };

export type CountersDeps = {
  readonly dir: string;
  /** Texts of the intents that have no entry yet, by attempt. */
  readonly running: () => ReadonlyMap<string, string>;
  /** The last entry that is written, synced or not. */
  readonly written: () => number;
  readonly crossed: (crossings: readonly Crossing[]) => void;
  /** Other nodes spend the same budgets: what is spent here has to be leased. */
  readonly shared: boolean;
};

const EXPIRE_EVERY_MS = 60_000;

/** A place in the journal is remembered this often, and so many of them. */
const PLACE_EVERY_MS = 1_000;
const MOST_PLACES = 20_000;

type Task = { readonly is: 'open' | 'extend'; readonly catchUp: CatchUp };

/**
 * Budgets and limits in step with the journal: whatever it writes is counted in the same step, and a rule comes into force when everything
 * that was written before is counted for it. Without a rule nothing is counted, and nothing is read.
 */
export class Counters {
  readonly #deps: CountersDeps;
  readonly #limits = new LimitBook();
  readonly #leases: LeaseBook | null;
  #budgets: BudgetBook | null = null;
  #wanted: readonly GovernedBudget[] = [];
  #limited = false;
  #task: Task | null = null;
  #saved: Checkpoint | null;
  #expiredAt = 0;
  /** When what was written: so that a budget of something new need not read what is older. */
  #places: { readonly at: TimestampMs; readonly seq: number }[] = [];

  /** @param saved what was counted before the journal was opened */
  constructor(deps: CountersDeps, saved: Checkpoint | null) {
    this.#deps = deps;
    this.#saved = saved;
    this.#leases = deps.shared ? new LeaseBook() : null;
  }

  /** Entries wait to be counted before the rules are in force. */
  get isCatchingUp(): boolean {
    return this.#task !== null;
  }

  /** Whether calls have to be asked about. */
  get isGoverning(): boolean {
    return this.#budgets !== null || this.#limited;
  }

  /** Puts these rules in place of all others, at once where what they need is counted, else after `catchUp` has counted it. */
  govern({ budgets, limits }: Rules, now: TimestampMs): void {
    this.#wanted = budgets;
    this.#limits.replace(limits);
    this.#limited = limits.length > 0;
    if (this.#task === null) this.#next(now);
  }

  /** One step of catching up. True when all rules are in force. */
  catchUp(now: TimestampMs): boolean {
    const task = this.#task;
    if (task === null) return true;
    if (!task.catchUp.step(this.#deps.written(), now)) return false;
    this.#finish(task, now);
    return !this.isCatchingUp;
  }

  /** What could not be read is not counted: the rules come into force with what was. */
  giveUp(now: TimestampMs): void {
    if (this.#task !== null) this.#finish(this.#task, now);
  }

  #finish({ is, catchUp }: Task, now: TimestampMs): void {
    catchUp.close();
    this.#task = null;
    const { books } = catchUp;
    if (is === 'open') {
      this.#budgets = books.budgets;
      for (const text of this.#deps.running().values()) this.#hold(books.budgets, text);
    } else {
      const known = this.#allWanted().filter(
        (budget) => this.#budgets?.uncounted([budget]).length === 0 || books.budgets.uncounted([budget]).length === 0,
      );
      this.#budgets?.extend(known, books.budgets.rows());
    }
    this.#next(now);
  }

  /** Puts in force what is counted, and begins to count what is not. */
  #next(now: TimestampMs): void {
    const wanted = this.#allWanted();
    const saved = this.#saved;
    this.#saved = null;
    if (this.#budgets === null) {
      if (saved !== null && this.#resume(wanted, saved)) return;
      if (wanted.length > 0) this.#begin('open', { budgets: wanted, after: this.#reach(wanted, now) });
      return;
    }
    const missing = this.#budgets.uncounted(wanted);
    this.#budgets.replace(wanted.filter((budget) => !missing.includes(budget)));
    if (missing.length > 0) this.#begin('extend', { budgets: missing, after: this.#reach(missing, now) });
    else if (wanted.length === 0) this.#budgets = null;
  }

  /** Goes on from a checkpoint with what it counts; what is new since comes after. False when it does not fit these rules. */
  #resume(wanted: readonly Budget[], saved: Checkpoint): boolean {
    const probe = new BudgetBook();
    const series = new Set(saved.rows.series);
    const known = wanted.filter((budget) => {
      probe.replace([budget]);
      return probe.rows().series.every((key) => series.has(key));
    });
    if (known.length === 0 && !this.#limited) return false;
    const budgets = new BudgetBook({ leases: this.#leases });
    try {
      budgets.restore(saved.rows, known);
      this.#limits.restore(saved.gauges);
    } catch {
      // Windows of a zone whose clock was changed by law begin elsewhere now: the journal has the calls themselves.
      return false;
    }
    const catchUp = new CatchUp(this.#deps.dir, { books: { budgets, limits: this.#limits }, after: saved.seq });
    this.#task = { is: 'open', catchUp };
    return true;
  }

  /** Rate limits are as they were left: what is read here is counted for budgets alone. */
  #begin(is: Task['is'], { budgets, after }: { readonly budgets: readonly Budget[]; readonly after: number }): void {
    const books = { budgets: new BudgetBook({ leases: this.#leases }), limits: new LimitBook() };
    books.budgets.replace(budgets);
    this.#task = { is, catchUp: new CatchUp(this.#deps.dir, { books, after }) };
  }

  #allWanted(): readonly Budget[] {
    return this.#wanted.map(({ budget }) => budget);
  }

  /** The last entry that no window of the budgets counts. */
  #reach(budgets: readonly Budget[], now: TimestampMs): number {
    const sinces = this.#wanted.filter(({ budget }) => budgets.includes(budget)).map((one) => sinceOf(one, now));
    let earliest = Number.MAX_SAFE_INTEGER;
    for (const since of sinces) earliest = Math.min(earliest, since ?? 0);
    const time = earliest === 0 ? null : (earliest as TimestampMs);
    const place = this.#places.findLast(({ at }) => time !== null && at < time);
    return Math.max(place?.seq ?? 0, lastEntryBefore(this.#deps.dir, time));
  }

  #hold(budgets: BudgetBook, intent: string): void {
    const { attempt, call, at, reserved } = readIntentFacts(intent);
    budgets.hold({ id: attempt, call, at, bound: reserved, expected: reserved });
  }

  /** Reserves before the intent is written; undefined where no rule is in force. What is not admitted must not be written. */
  reserve(intent: string, { expected, takes, final }: Wish): Reservation | Short | undefined {
    if (!this.isGoverning) return undefined;
    const { attempt, callId, call, at, reserved } = readIntentFacts(intent);
    const taken = this.#limited && takes !== null ? this.#limits.take({ id: callId, call, at, ...takes }) : null;
    if (taken?.kind === 'refused') return { kind: 'limited', answer: taken };
    const limits = taken?.standings ?? [];
    if (this.#budgets === null) return { kind: 'admitted', over: [], limits };
    const asked = { id: attempt, call, at, bound: reserved, expected: likelyOf(reserved, expected) };
    const admission = this.#budgets.reserve(final === undefined ? asked : { ...asked, final });
    if (admission.kind === 'admitted') return { ...admission, limits };
    if (taken !== null) this.#limits.cancel(callId, at);
    return admission;
  }

  /** What `reserve` would say of an intent now; nothing is held or taken. */
  peek(intent: string, { expected, takes }: Wish): Reservation {
    const { attempt, callId, call, at, reserved } = readIntentFacts(intent);
    const taken = takes === null ? null : this.#limits.peek({ id: callId, call, at, ...takes });
    if (taken?.kind === 'refused') return { kind: 'limited', answer: taken };
    const asked = { id: attempt, call, at, bound: reserved, expected: likelyOf(reserved, expected) };
    const admission = this.#budgets?.peek(asked) ?? { kind: 'admitted', over: [] };
    // What is short would be leased first: only asking for it tells whether it can be.
    const over = admission.kind === 'admitted' ? admission.over : [];
    return admission.kind === 'admitted' || admission.kind === 'short'
      ? { kind: 'admitted', over, limits: taken?.standings ?? [] }
      : admission;
  }

  /** An intent that nobody asks about: held in budgets all the same. */
  begin(intent: string): void {
    if (this.#budgets !== null) this.#hold(this.#budgets, intent);
  }

  /** @param cost undefined when only the entry says it */
  settle(attempt: string, entry: string, { cost, now }: { cost: PicoUsd | null | undefined; now: TimestampMs }): void {
    const budgets = this.#budgets;
    if (budgets === null) return;
    if (cost !== undefined && budgets.holds(attempt)) {
      this.#told(budgets.settle(attempt, cost)?.crossings);
      return;
    }
    const facts = readEntryFacts(entry);
    if (facts.kind !== 'attempt') this.#told(countLater(budgets, facts, now).crossings);
    else if (budgets.holds(attempt)) this.#told(budgets.settle(attempt, facts.cost)?.crossings);
    else this.#told(budgets.count({ ...facts, id: facts.attempt, now }).crossings);
  }

  /** The attempt did not happen. */
  cancel(attempt: string): void {
    this.#budgets?.release(attempt);
  }

  /** The call is over, with all its attempts. Null: it did not happen. */
  finish(callId: string, used: Consumption | null, now: TimestampMs): void {
    if (used === null) this.#limits.cancel(callId, now);
    else this.#limits.finish(callId, used, now);
  }

  /** To be told the time as it passes. */
  tick(now: TimestampMs): void {
    if (now - (this.#places.at(-1)?.at ?? 0) >= PLACE_EVERY_MS) this.#remember(now);
    if (now - this.#expiredAt < EXPIRE_EVERY_MS) return;
    this.#expiredAt = now;
    this.#budgets?.expire(now);
    this.#limits.expire(now);
  }

  #remember(at: TimestampMs): void {
    this.#places.push({ at, seq: this.#deps.written() });
    // Beyond the limit every other place will do.
    if (this.#places.length > MOST_PLACES) this.#places = this.#places.filter((_, index) => index % 2 === 1);
  }

  /** Leases of budgets that are shared, and whether more can be had. */
  lease(leases: readonly Lease[], reachable: boolean): void {
    this.#leases?.reach(reachable);
    this.#budgets?.take(leases);
  }

  /** How this node stands to what it shares, once it has given back what it does not need of `trim`. */
  leaseRows({ of, trim }: LeaseQuestion, now: TimestampMs): readonly LeaseRow[] {
    this.#budgets?.trim(trim, now);
    return this.#budgets?.leaseRows(of, now) ?? [];
  }

  standings(now: TimestampMs): readonly Standing[] {
    return this.#budgets?.standing(now) ?? [];
  }

  /** What a checkpoint holds; null when nothing is counted. Calls that run are not in it: their entries come after. */
  rows(): Pick<Checkpoint, 'rows' | 'gauges'> | null {
    if (!this.isGoverning || this.isCatchingUp) return null;
    const { series, cells, holds } = this.#budgets?.rows() ?? { series: [], cells: [], holds: [] };
    return {
      rows: { series, cells, holds: holds.filter(({ state }) => state === 'in_doubt') },
      gauges: this.#limits.rows(),
    };
  }

  #told(crossings: readonly Crossing[] | undefined): void {
    if (crossings !== undefined && crossings.length > 0) this.#deps.crossed(crossings);
  }
}

/** Nobody expects more than there can be. */
function likelyOf(bound: PicoUsd | null, expected: PicoUsd | null): PicoUsd | null {
  return bound === null || expected === null || expected > bound ? bound : expected;
}

function sinceOf({ budget, since }: GovernedBudget, now: TimestampMs): TimestampMs | null {
  const start = countsSince(budget.window, now);
  if (start === null || since === null) return start ?? since;
  return since > start ? since : start;
}

/** Of which shares, once of which what is not needed is given back. */
export type LeaseQuestion = {
  readonly of: readonly string[] | 'known' | 'all';
  readonly trim: readonly string[] | 'all';
};

const WISH_PARTS = 4;

/** A wish as the text of a command: expected cost, tokens and dollars, each empty where nobody can say, and whether it is final. */
export function wishText({ expected, takes, final }: Wish): string {
  const tokens = takes === null ? '' : String(takes.tokens);
  return `${expected ?? ''} ${tokens} ${takes?.usd ?? ''} ${final === true ? 'final' : ''}`;
}

export function parseWish(text: string): Wish {
  const [expected = '', tokens = '', usd = '', final = ''] = text.split(' ', WISH_PARTS);
  return {
    expected: expected === '' ? null : picoUsd(BigInt(expected)),
    takes: tokens === '' ? null : { tokens: Number(tokens), usd: usd === '' ? null : picoUsd(BigInt(usd)) },
    ...(final === '' ? {} : { final: true }),
  };
}
