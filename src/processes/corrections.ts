import { ApportionError, type EntryId } from '#terms';
import type { ToGateway, ToLedger } from './messages.ts';

/** An entry to append to the journal, which only the gateway process writes. */
export type NewEntry = { readonly id: EntryId; readonly body: string };

type Corrected = Extract<ToLedger, { type: 'corrected' }>;

/** The gateway process answers when the entries are on disk; a disk that takes this long has failed. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The ledger process's way to the journal: entries go to the gateway process, and are on disk when it answers. */
export class Corrections {
  readonly #tell: (message: ToGateway) => void;
  readonly #waiters = new Map<number, (answer: Corrected) => void>();
  readonly #timeoutMs: number;
  #lastId = 0;

  constructor(tell: (message: ToGateway) => void, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#tell = tell;
    this.#timeoutMs = timeoutMs;
  }

  /** What the gateway process answered. */
  corrected(answer: Corrected): void {
    this.#waiters.get(answer.id)?.(answer);
  }

  /**
   * Resolves with the sequence number up to which all is durable, these entries included. Rejects with `journal_unavailable`: then
   * some of them may be in the journal, which shows once everything durable is in the store.
   */
  async append(entries: readonly NewEntry[]): Promise<number> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = Promise.withResolvers<Corrected>();
    this.#waiters.set(id, answered.resolve);
    const timer = setTimeout(
      () => answered.resolve({ type: 'corrected', id, seq: 0, problem: 'the gateway process did not answer' }),
      this.#timeoutMs,
    );
    this.#tell({ type: 'correct', id, entries });
    const { seq, problem } = await answered.promise;
    clearTimeout(timer);
    this.#waiters.delete(id);
    if (problem === null) return seq;
    throw new ApportionError('journal_unavailable', `Corrections could not be recorded: ${problem}`, {
      hint: 'What was recorded holds. Ask again: nothing is corrected twice.',
    });
  }
}
