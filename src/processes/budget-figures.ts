import type { Crossing, Standing } from '#budgets';
import type { ToGateway, ToLedger } from './messages.ts';

type Answered = Extract<ToLedger, { type: 'standings' }>;

const ANSWER_TIMEOUT_MS = 5_000;

/** The ledger process's way to ask how budgets stand: the counters are in the gateway process, beside the journal. */
export class BudgetFigures {
  readonly #tell: (message: ToGateway) => void;
  readonly #waiters = new Map<number, (standings: Answered['standings']) => void>();
  readonly #listeners = new Set<(crossings: readonly Crossing[]) => void>();
  readonly #timeoutMs: number;
  #lastId = 0;

  constructor(tell: (message: ToGateway) => void, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#tell = tell;
    this.#timeoutMs = timeoutMs;
  }

  /** Calls the listener when spending passes thresholds. What is told while nobody listens, or is lost in a crash, shows in the standings. */
  onCrossed(listener: (crossings: readonly Crossing[]) => void): void {
    this.#listeners.add(listener);
  }

  /** What the gateway process told. */
  crossed(crossings: readonly Crossing[]): void {
    for (const listener of this.#listeners) listener(crossings);
  }

  /** What the gateway process answered. */
  answered({ id, standings }: Answered): void {
    this.#waiters.get(id)?.(standings);
  }

  /** Every instance of every budget in force that has counted something, as of now. Null while nobody knows: the journal has failed. */
  async standings(): Promise<readonly Standing[] | null> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = Promise.withResolvers<Answered['standings']>();
    this.#waiters.set(id, answered.resolve);
    const timer = setTimeout(() => answered.resolve(null), this.#timeoutMs);
    this.#tell({ type: 'standings', id });
    const standings = await answered.promise;
    clearTimeout(timer);
    this.#waiters.delete(id);
    return standings;
  }
}
