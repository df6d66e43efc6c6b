/** Pico-dollars of one scope in one window. `spent` may be negative: a credit may exceed what its window has spent. */
export type Tally = {
  spent: bigint;
  /** Held for running calls: the most they can cost, and what they probably cost. */
  most: bigint;
  likely: bigint;
  /** The most that calls in doubt can have cost. */
  atRisk: bigint;
  /** The part of `spent` that no reservation covered. */
  overrun: bigint;
  /** Calls, running or in doubt, of which nobody can say what they cost at most. */
  unbounded: number;
  /** Calls that ended without a price: what they cost is in no sum here until a correction says it. */
  unpriced: number;
};

export type TallyChange = Readonly<Tally>;

export const NO_CHANGE: TallyChange = {
  spent: 0n,
  most: 0n,
  likely: 0n,
  atRisk: 0n,
  overrun: 0n,
  unbounded: 0,
  unpriced: 0,
};

export function addTo(tally: Tally, change: TallyChange): void {
  tally.spent += change.spent;
  tally.most += change.most;
  tally.likely += change.likely;
  tally.atRisk += change.atRisk;
  tally.overrun += change.overrun;
  tally.unbounded += change.unbounded;
  tally.unpriced += change.unpriced;
}

export function negated(change: TallyChange): TallyChange {
  return {
    spent: -change.spent,
    most: -change.most,
    likely: -change.likely,
    atRisk: -change.atRisk,
    overrun: -change.overrun,
    unbounded: -change.unbounded,
    unpriced: -change.unpriced,
  };
}

/** Spent or perhaps spent. A credit gives back what was spent, never more: it raises no limit. */
export function committed(tally: TallyChange): bigint {
  return (tally.spent > 0n ? tally.spent : 0n) + tally.atRisk;
}
