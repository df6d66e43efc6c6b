import { readBudget, readLimit, type KeyRing } from '#accounts';
import { findBudgetFault, findLimitFault, StrictScopes, type Budget } from '#budgets';
import { readIntentFacts, type GovernedBudget, type Journal } from '#ledger';
import type { Log } from '#observe';
import { invariant, type TimestampMs } from '#std';

export type GovernorDeps = {
  readonly journal: Pick<Journal, 'govern'>;
  readonly keys: Pick<KeyRing, 'budgets' | 'limits' | 'keyById'>;
  readonly log: Pick<Log, 'error'>;
  /** Told once new rules are in force. */
  readonly changed?: () => Promise<void>;
};

/** Puts the budgets and limits of the control plane in force, and knows whether there are any. */
export class Governor {
  readonly #deps: GovernorDeps;
  #budgets: KeyRing['budgets'] = [];
  #limits: KeyRing['limits'] = [];
  #strict = new StrictScopes([]);
  #running: Promise<void> = Promise.resolve();

  constructor(deps: GovernorDeps) {
    this.#deps = deps;
  }

  /** Whether a call has to be judged at all; without rules nobody need know what it will probably cost. */
  get governs(): boolean {
    return this.#budgets.length > 0 || this.#limits.length > 0;
  }

  get limits(): boolean {
    return this.#limits.length > 0;
  }

  /** Resolves when the rules as they are now are in force. To be told whenever the key ring changes. */
  update(): Promise<void> {
    this.#running = this.#running.then(() => this.#govern());
    return this.#running;
  }

  /** Whether an attempt falls in a strict budget: without the journal nobody knows what is left of it. @param intent its text */
  isStrict(intent: string): boolean {
    const { call, at } = readIntentFacts(intent);
    return this.#strict.cover(call, at);
  }

  async #govern(): Promise<void> {
    const { keys, journal, log } = this.#deps;
    if (keys.budgets === this.#budgets && keys.limits === this.#limits) return;
    this.#budgets = keys.budgets;
    this.#limits = keys.limits;
    const budgets = keys.budgets.flatMap((record) =>
      this.#read(record.id, () => soundOf(readBudget(record), findBudgetFault)),
    );
    const limits = keys.limits.flatMap((record) =>
      this.#read(record.id, () => soundOf(readLimit(record), findLimitFault)),
    );
    this.#strict = new StrictScopes(budgets);
    try {
      const { problem } = await journal.govern({ budgets: budgets.map((budget) => this.#governed(budget)), limits });
      if (problem !== null)
        log.error({ problem }, 'budgets lack a part of what was spent before: a journal file cannot be read');
      await this.#deps.changed?.();
    } catch (error) {
      // The journal has failed: no call is admitted, and the next start puts the rules in force.
      log.error({ err: error }, 'budgets and limits could not be put in force');
    }
  }

  /** A rule of a newer version, or one that contradicts itself, must not keep the others from being in force. */
  #read<T>(id: string, read: () => T): readonly T[] {
    try {
      return [read()];
    } catch (error) {
      this.#deps.log.error({ err: error, rule: id }, 'a stored budget or limit is left out');
      return [];
    }
  }

  #governed(budget: Budget): GovernedBudget {
    return { budget, since: this.#sinceOf(budget) };
  }

  /** A key has made no call before it was made. */
  #sinceOf({ scope }: Budget): TimestampMs | null {
    for (const condition of scope) {
      if (condition.on !== 'key' || condition.values.kind !== 'is') continue;
      const key = this.#deps.keys.keyById(condition.values.value);
      if (key !== undefined) return key.createdAt;
    }
    return null;
  }
}

function soundOf<T>(rule: T, faultOf: (rule: T) => string | null): T {
  const fault = faultOf(rule);
  invariant(fault === null, fault ?? 'a rule in force has no fault');
  return rule;
}
