import { type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { asksFor, limitAt, type Budget } from './budget.ts';
import { type ScopedCall } from './scope.ts';
import { type LeaseWant } from './lease-book.ts';
import { committed, type TallyChange } from './tally.ts';

/** A call that wants to start. Null is what nobody can say. */
export type Reserve = {
  /** Of the attempt; each is reserved once. */
  readonly id: string;
  readonly call: ScopedCall;
  /** The most it can cost. */
  readonly bound: PicoUsd | null;
  /** What it will probably cost. */
  readonly expected: PicoUsd | null;
  /** The attempt's start. */
  readonly at: TimestampMs;
  /** What is not leased by now will not be: no lease is asked for. */
  readonly final?: true;
};

/** A budget that a call does not fit in, and how it stands. */
export type Shortfall = {
  readonly budgetId: string;
  readonly budgetName: string;
  /** What the budget is for, in words: `customer=acme`. */
  readonly scope: string;
  /** It counts some models or providers: at another deployment there may be room. */
  readonly ofDeployment: boolean;
  readonly reason: 'exceeded' | 'unbounded' | 'unpriced' | 'unreachable';
  readonly spent: PicoUsd;
  /** Held for running calls. */
  readonly reserved: PicoUsd;
  /** What other nodes have leased, spent or not. */
  readonly elsewhere: PicoUsd;
  readonly atRisk: PicoUsd;
  readonly limit: PicoUsd;
  /** What the call would have needed; null when nobody can say. */
  readonly needed: PicoUsd | null;
  readonly windowId: string;
  /** When what counts now counts no longer; null when time alone does not help. */
  readonly resetsAt: TimestampMs | null;
};

/** The node has to lease more of budgets it shares with others, then reserve again. */
export type Short = { readonly kind: 'short'; readonly wants: readonly LeaseWant[] };

export type Admission =
  | {
      readonly kind: 'admitted';
      /** Budgets that are exceeded and only warn or observe. */
      readonly over: readonly Shortfall[];
    }
  | {
      readonly kind: 'refused';
      /** The budget with the least room. */
      readonly by: Shortfall;
      /** The largest amount that all budgets have room for; null when a smaller call would not help. */
      readonly clamp: PicoUsd | null;
    }
  | {
      readonly kind: 'downgrade';
      readonly by: Shortfall;
      /** The model to reserve for instead. */
      readonly model: string;
      readonly clamp: PicoUsd | null;
    };

/** How a call stands to one budget. `room` may be negative. */
export type Verdict = {
  readonly reason: Shortfall['reason'] | null;
  readonly room: bigint;
  readonly needed: bigint | null;
};

export function judge(budget: Budget, tally: TallyChange, wanted: Reserve): Verdict {
  const strict = budget.mode === 'strict';
  const room = limitAt(budget, wanted.at) - committed(tally) - (strict ? tally.most : tally.likely);
  const needed = strict ? wanted.bound : (wanted.expected ?? wanted.bound);
  // What provably costs nothing cannot exceed anything, however much has been spent.
  if (wanted.bound === 0n) return { reason: null, room, needed };
  if (needed === null) {
    if (strict) return { reason: wanted.expected === null ? 'unpriced' : 'unbounded', room, needed };
    return { reason: fitsIn(room, { needed }) ? null : 'exceeded', room, needed };
  }
  return { reason: fitsIn(room, { needed }) ? null : 'exceeded', room, needed };
}

/** Whether a call fits in what is left. */
export function fitsIn(room: bigint, { needed }: Pick<Verdict, 'needed'>): boolean {
  return room > 0n && (needed === null || needed <= room);
}

/** A call that is refused by one budget and would be allowed by the others gets the refusal that says most. */
export type Refusal = { readonly budget: Budget; readonly verdict: Verdict; readonly shortfall: () => Shortfall };

/** The tightest of the refusals; a budget that blocks goes before one that asks for another model. */
export function refuse(refusals: readonly Refusal[], clamp: bigint | null, call: ScopedCall): Admission {
  const blocks = refusals.filter(({ budget: { action } }) => action.kind !== 'downgrade' || asksFor(action, call));
  const [first] = (blocks.length > 0 ? blocks : refusals).toSorted(byRoom);
  if (first === undefined) return { kind: 'admitted', over: [] };
  const by = first.shortfall();
  const room = clamp === null || clamp <= 0n ? null : picoUsd(clamp);
  const { action } = first.budget;
  if (blocks.length === 0 && action.kind === 'downgrade') {
    return { kind: 'downgrade', by, model: action.model, clamp: room };
  }
  return { kind: 'refused', by, clamp: room };
}

function byRoom(left: Refusal, right: Refusal): number {
  if (left.verdict.room !== right.verdict.room) return left.verdict.room < right.verdict.room ? -1 : 1;
  return left.budget.id < right.budget.id ? -1 : 1;
}
