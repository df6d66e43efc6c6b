import { type TimestampMs } from '#std';
import { type Reserve } from './admission.ts';
import { type Cell } from './counter.ts';
import { type ScopedCall } from './scope.ts';
import { NO_CHANGE, type TallyChange } from './tally.ts';

/** A call that is running, or that ended and nobody knows how. */
export type Hold = {
  readonly id: string;
  readonly call: ScopedCall;
  readonly at: TimestampMs;
  /** Null together: then nothing is known of the call's cost. */
  readonly most: bigint | null;
  readonly likely: bigint | null;
  state: 'running' | 'in_doubt';
  cells: Cell[];
};

export function holdFor({ id, call, at, bound, expected }: Reserve): Hold {
  return { id, call, at, most: bound ?? expected, likely: expected ?? bound, state: 'running', cells: [] };
}

/** What the hold takes up in each of its cells. */
export function heldBy({ most, likely, state }: Pick<Hold, 'most' | 'likely' | 'state'>): TallyChange {
  if (most === null || likely === null) return { ...NO_CHANGE, unbounded: 1 };
  return state === 'running' ? { ...NO_CHANGE, most, likely } : { ...NO_CHANGE, atRisk: most };
}
