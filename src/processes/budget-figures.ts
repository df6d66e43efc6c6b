import type { Crossing, Standing } from '#budgets';
import type { ToGateway, ToLedger } from './messages.ts';
import { Questions } from './questions.ts';

type Answered = Extract<ToLedger, { type: 'standings' }>;

/** The ledger process's way to ask how budgets stand: the counters are in the gateway process, beside the journal. */
export class BudgetFigures {
  readonly #questions: Questions<readonly Standing[]>;
  readonly #listeners = new Set<(crossings: readonly Crossing[]) => void>();

  constructor(tell: (message: ToGateway) => void, timeoutMs?: number) {
    this.#questions = new Questions((id) => tell({ type: 'standings', id }), timeoutMs);
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
    this.#questions.answered(id, standings);
  }

  /** Every instance of every budget in force that has counted something, as of now. Null while nobody knows: the journal has failed. */
  standings(): Promise<readonly Standing[] | null> {
    return this.#questions.ask();
  }
}
