import { invariant, type TimestampMs } from '#std';
import type { Crossing, Lease, LeaseRow, Short, Standing } from '#budgets';
import type { LeaseQuestion, Reservation, Rules, Wish } from './counters.ts';

/**
 * What the journal is told. `text` is the intent or the entry as JSON. `about` is for the counters: of a `reserve` the wish, of a `settle`
 * the cost (`null`, or empty where the entry is to be asked), of a `finish`, whose `attempt` is a call, what it took from limits.
 */
export type Command = {
  readonly is: 'begin' | 'reserve' | 'settle' | 'cancel' | 'finish';
  readonly attempt: string;
  readonly text: string;
  readonly about: string;
};

/**
 * The commands of one tick, flat (`is`, attempt, text, about, `is`, …): an array of strings is cloned between threads several times faster
 * than one of objects. `at` is the sender's wall clock.
 */
type Batch = { readonly is: 'batch'; readonly at: TimestampMs; readonly commands: readonly string[] };

export type ToWorker =
  | Batch
  | { readonly is: 'rotate'; readonly at: TimestampMs }
  | { readonly is: 'govern'; readonly at: TimestampMs; readonly rules: Rules }
  | { readonly is: 'standings'; readonly at: TimestampMs }
  | { readonly is: 'peek'; readonly asks: readonly Ask[] }
  | { readonly is: 'lease'; readonly leases: readonly Lease[]; readonly reachable: boolean }
  | { readonly is: 'leaseRows'; readonly at: TimestampMs; readonly question: LeaseQuestion }
  | { readonly is: 'close' };

/** An intent that might be reserved, and with which wish. */
export type Ask = { readonly intent: string; readonly wish: Wish };

/** What became of a `reserve`, where it is more than that nothing stands against it. */
export type Answered = { readonly attempt: string; readonly reservation: Reservation | Short };

export type FromWorker =
  | {
      readonly is: 'ready';
      readonly seq: number;
      readonly entries: number;
      readonly inDoubt: number;
      readonly tornBytes: number;
    }
  /**
   * Cumulative: how many `begin`, `reserve` and `cancel` are written or refused, how many `settle` are synced, and the last synced entry.
   * `answers` are of those `reserve` that were taken since the last one.
   */
  | {
      readonly is: 'ack';
      readonly written: number;
      readonly settled: number;
      readonly seq: number;
      readonly answers: readonly Answered[];
    }
  /** Answers one `govern`: its rules, or newer ones, are in force. `problem` says why they lack some of what was spent before. */
  | { readonly is: 'governed'; readonly problem: string | null }
  | { readonly is: 'standings'; readonly standings: readonly Standing[] }
  | { readonly is: 'leaseRows'; readonly rows: readonly LeaseRow[] }
  | { readonly is: 'peeked'; readonly reservations: readonly Reservation[] }
  | { readonly is: 'crossed'; readonly crossings: readonly Crossing[] }
  /** Answers one `rotate`. `sealed` is the newest segment that nothing is written into any more; 0 for none. */
  | { readonly is: 'rotated'; readonly sealed: number }
  /** The counters could not be saved; the next start reads more of the journal. */
  | { readonly is: 'unsaved'; readonly message: string }
  | { readonly is: 'failed'; readonly message: string; readonly hint: string | null }
  | { readonly is: 'closed' };

export type WorkerStart = {
  readonly dir: string;
  readonly nodeId: string;
  readonly epoch: number;
  readonly segmentBytes: number;
  readonly shared: boolean;
  readonly now: TimestampMs;
};

export const STRINGS_PER_COMMAND = 4;

const COMMANDS: ReadonlySet<string> = new Set<Command['is']>(['begin', 'reserve', 'settle', 'cancel', 'finish']);

function isCommand(text: string | undefined): text is Command['is'] {
  return text !== undefined && COMMANDS.has(text);
}

/** The command at `at` of a batch's strings. */
export function commandAt(strings: readonly string[], at: number): Command {
  const is = strings[at];
  const attempt = strings[at + 1];
  const text = strings[at + 2];
  const about = strings[at + 3];
  invariant(isCommand(is), 'a journal command begins with its name');
  invariant(attempt !== undefined && text !== undefined && about !== undefined, 'a journal command has four strings');
  return { is, attempt, text, about };
}
