import { ApportionError } from '#terms';
import type { ToGateway, ToLedger } from './messages.ts';

type Rotated = Extract<ToLedger, { type: 'rotated' }>;

/** A rotation waits for a sync; a disk that takes this long has failed. */
const ANSWER_TIMEOUT_MS = 30_000;

/** The ledger process's way to have the journal's segment sealed, which only the gateway process writes. */
export class Rotations {
  readonly #tell: (message: ToGateway) => void;
  readonly #waiters = new Map<number, (answer: Rotated) => void>();
  readonly #timeoutMs: number;
  #lastId = 0;

  constructor(tell: (message: ToGateway) => void, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#tell = tell;
    this.#timeoutMs = timeoutMs;
  }

  /** What the gateway process answered. */
  rotated(answer: Rotated): void {
    this.#waiters.get(answer.id)?.(answer);
  }

  /** Resolves when everything settled before is in a sealed segment. Rejects with `journal_unavailable`. */
  async rotate(): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = Promise.withResolvers<Rotated>();
    this.#waiters.set(id, answered.resolve);
    const problem = 'the gateway process did not answer';
    const timer = setTimeout(() => answered.resolve({ type: 'rotated', id, seq: 0, problem }), this.#timeoutMs);
    this.#tell({ type: 'rotate', id });
    const answer = await answered.promise;
    clearTimeout(timer);
    this.#waiters.delete(id);
    if (answer.problem !== null)
      throw new ApportionError('journal_unavailable', `The journal's file could not be sealed: ${answer.problem}`);
  }
}
