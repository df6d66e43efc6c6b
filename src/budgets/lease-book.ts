import { type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { type Budget, type BudgetMode, limitAt } from './budget.ts';
import { instanceKey } from './scope-index.ts';
import { committed, type TallyChange } from './tally.ts';
import { type WindowSpan } from './window.ts';

/** One share of a budget: of one instance, in one window. Several nodes have leases of it, which together never exceed its limit. */
export type Share = {
  readonly budget: Budget;
  readonly seriesKey: string;
  readonly instance: readonly string[];
  readonly span: WindowSpan;
};

type Terms = {
  /** Names the share on every node that has the same budgets. */
  readonly share: string;
  readonly limit: PicoUsd;
  /** What counts towards the budget here. */
  readonly level: PicoUsd;
  /** When the share can be forgotten; null for never. */
  readonly until: TimestampMs | null;
};

/** A share that a node has leased too little of to admit a call. */
export type LeaseWant = Terms & {
  /** What the call needs beyond the level. */
  readonly needed: PicoUsd;
};

/** How a node stands to a share. */
export type LeaseRow = Terms & { readonly lease: PicoUsd };

/** What a node may spend of a share from now on, and what all others may. */
export type Lease = { readonly share: string; readonly amount: PicoUsd; readonly elsewhere: PicoUsd };

type Held = { readonly of: Share; amount: bigint; elsewhere: bigint };

/** A late call may end this long after its window. */
const KEPT_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * What this node may spend of budgets that several nodes share. A lease is had before it is spent and never taken away: only the
 * node itself gives back what it does not need. So the limit holds whatever becomes of the others, and of the way to them.
 */
export class LeaseBook {
  readonly #held = new Map<string, Held>();
  #reachable = true;

  /** Whether the other nodes can be asked. Budgets whose `outage` is `refuse` admit nothing while they cannot. */
  reach(reachable: boolean): void {
    this.#reachable = reachable;
  }

  get isReachable(): boolean {
    return this.#reachable;
  }

  /** What this node may still spend; null where the budget refuses because nobody can be asked. */
  room(of: Share, tally: TallyChange): bigint | null {
    if (!this.#reachable && of.budget.outage === 'refuse') return null;
    return this.#amountOf(of) - levelOf(of.budget.mode, tally);
  }

  /** What the others may spend, as far as is known. */
  elsewhere(of: Share): bigint {
    return this.#held.get(shareKey(of))?.elsewhere ?? 0n;
  }

  want(of: Share, tally: TallyChange, given: { readonly needed: bigint; readonly at: TimestampMs }): LeaseWant {
    this.know(of);
    return { ...termsOf(of, tally, given.at), needed: picoUsd(given.needed) };
  }

  /** Something is spent of the share, or will be. */
  know(of: Share): void {
    const share = shareKey(of);
    const { amount, elsewhere } = this.#held.get(share) ?? { amount: 0n, elsewhere: 0n };
    // The budget may have been edited since.
    this.#held.set(share, { of, amount, elsewhere });
  }

  /** A lease of a share that was wanted. Of a window that is over it is no use. */
  take({ share, amount, elsewhere }: Lease): void {
    const held = this.#held.get(share);
    if (held !== undefined) Object.assign(held, { amount, elsewhere });
  }

  /** Gives back what is not needed. */
  trim(of: Share, tally: TallyChange): void {
    const held = this.#held.get(shareKey(of));
    if (held !== undefined) held.amount = levelOf(of.budget.mode, tally);
  }

  row(of: Share, tally: TallyChange, at: TimestampMs): LeaseRow {
    return { ...termsOf(of, tally, at), lease: picoUsd(this.#amountOf(of)) };
  }

  /** Of what was never leased, nothing. */
  #amountOf(of: Share): bigint {
    const held = this.#held.get(shareKey(of));
    return held === undefined ? 0n : held.amount;
  }

  /** Known shares: those of these names, or all. */
  shares(names: readonly string[] | 'all'): readonly Share[] {
    if (names === 'all') return Array.from(this.#held.values(), ({ of }) => of);
    return names.flatMap((name) => this.#held.get(name)?.of ?? []);
  }

  /** Forgets the leases of windows that are over: no call starts in them any more. */
  expire(now: TimestampMs): void {
    for (const [share, { of }] of this.#held) {
      const end = endOf(of);
      if (end !== null && end <= now) this.#held.delete(share);
    }
  }
}

/** Money that counts towards a budget here: spent, in doubt and held. */
export function levelOf(mode: BudgetMode, tally: TallyChange): bigint {
  return committed(tally) + (mode === 'strict' ? tally.most : tally.likely);
}

function shareKey({ budget, instance, span }: Share): string {
  return `${budget.id} ${isSteady(budget) ? '' : span.id} ${instanceKey(instance)}`;
}

/** One level over time instead of one for each window. */
function isSteady({ window }: Budget): boolean {
  return window.kind === 'rolling' || window.kind === 'total';
}

function endOf({ budget, span }: Share): TimestampMs | null {
  return isSteady(budget) ? null : span.end;
}

function termsOf(of: Share, tally: TallyChange, at: TimestampMs): Terms {
  const end = endOf(of);
  return {
    share: shareKey(of),
    limit: limitAt(of.budget, at),
    level: picoUsd(levelOf(of.budget.mode, tally)),
    until: end === null ? null : ((end + KEPT_AFTER_MS) as TimestampMs),
  };
}
