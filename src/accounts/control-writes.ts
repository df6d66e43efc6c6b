import { type Transaction } from 'kysely';
import { putBudget, putLimit } from './budgets/rule-table.ts';
import { type ControlDatabase, type ControlTables } from './database.ts';
import { type ControlChange } from './key-record.ts';
import { nextRevision, putKey } from './key-table.ts';
import { putPriceTerm } from './price-term-table.ts';
import { putTeam } from './team-table.ts';

export type ChangeListener = (change: ControlChange) => Promise<void>;

export type WriteQueries = Transaction<ControlTables>;

/** What a write makes: its answer, and the records it touched, as they are afterwards; what it does not name it left alone. */
export type Written<T> = Partial<Omit<ControlChange, 'revision'>> & { readonly answer: T };

type Make<T> = (queries: WriteQueries, revision: number) => Promise<Written<T>>;

/** The one way to change what gateways know: one write at a time, each with its own revision, each told to all listeners. */
export class ControlWrites {
  readonly #database: ControlDatabase;
  readonly #listeners = new Set<ChangeListener>();
  #last: Promise<void> = Promise.resolve();

  constructor(database: ControlDatabase) {
    this.#database = database;
  }

  /** @returns a function that ends the subscription */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores what `make` answers, in one transaction, and returns when every listener has applied it. */
  async write<T>(make: Make<T>): Promise<T> {
    const write = this.#last.then(() => this.#store(make));
    // The next write begins when this one is over, whether it went well or not; its own caller is told either way.
    this.#last = Promise.allSettled([write]).then(() => undefined);
    return write;
  }

  /** Waits for the write under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #store<T>(make: Make<T>): Promise<T> {
    const { answer, ...change } = await this.#database.transaction().execute(async (queries) => {
      const revision = await nextRevision(queries);
      const { answer: made, ...written } = await make(queries, revision);
      const { keys = [], teams = [], priceTerms = [], budgets = [], limits = [] } = written;
      for (const key of keys) await putKey(queries, key);
      for (const team of teams) await putTeam(queries, team);
      for (const term of priceTerms) await putPriceTerm(queries, term);
      for (const budget of budgets) await putBudget(queries, budget);
      for (const limit of limits) await putLimit(queries, limit);
      return { answer: made, revision, keys, teams, priceTerms, budgets, limits };
    });
    await Promise.all(Array.from(this.#listeners, (listener) => listener(change)));
    return answer;
  }
}
