import { invariant, type TimestampMs } from '#std';

/** What the journal is told. `text` is the intent or the entry as JSON. */
export type Command = {
  readonly is: 'begin' | 'settle' | 'cancel';
  readonly attempt: string;
  readonly text: string;
};

/**
 * The commands of one tick, flat (`is`, attempt, text, `is`, …): an array of strings is cloned between threads several times faster
 * than one of objects. `at` is the sender's wall clock.
 */
type Batch = { readonly is: 'batch'; readonly at: TimestampMs; readonly commands: readonly string[] };

export type ToWorker = Batch | { readonly is: 'rotate'; readonly at: TimestampMs } | { readonly is: 'close' };

export type FromWorker =
  | {
      readonly is: 'ready';
      readonly seq: number;
      readonly entries: number;
      readonly inDoubt: number;
      readonly tornBytes: number;
    }
  /** Cumulative: how many `begin` and `cancel` are written, how many `settle` are synced, and the last synced entry. */
  | { readonly is: 'ack'; readonly written: number; readonly settled: number; readonly seq: number }
  /** Answers one `rotate`. `sealed` is the newest segment that nothing is written into any more; 0 for none. */
  | { readonly is: 'rotated'; readonly sealed: number }
  | { readonly is: 'failed'; readonly message: string; readonly hint: string | null }
  | { readonly is: 'closed' };

export type WorkerStart = {
  readonly dir: string;
  readonly nodeId: string;
  readonly epoch: number;
  readonly segmentBytes: number;
  readonly now: TimestampMs;
};

export const STRINGS_PER_COMMAND = 3;

/** The command at `at` of a batch's strings. */
export function commandAt(strings: readonly string[], at: number): Command {
  const is = strings[at];
  const attempt = strings[at + 1];
  const text = strings[at + 2];
  invariant(is === 'begin' || is === 'settle' || is === 'cancel', 'a journal command begins with its name');
  invariant(typeof attempt === 'string' && typeof text === 'string', 'a journal command has an attempt and a text');
  return { is, attempt, text };
}
