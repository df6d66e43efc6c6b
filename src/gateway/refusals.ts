import type { Log, Metrics } from '#observe';
import type { Clock } from '#std';

export type Refused = {
  readonly by: 'budget' | 'limit';
  readonly rule: string;
  /** In words: `customer=acme`. */
  readonly scope: string;
};

/** One line for each rule this often, with how many there were: a client that goes on asking must not fill the log. */
const TOLD_EVERY_MS = 10_000;

const MOST_RULES = 10_000;

/** Calls that a budget or limit refused: they are in no ledger, for they cost nothing, but in metrics and in the log. */
export class Refusals {
  readonly #deps: { readonly metrics: Metrics; readonly log: Log; readonly clock: Clock };
  readonly #told = new Map<string, { atMs: number; since: number }>();

  constructor(deps: { readonly metrics: Metrics; readonly log: Log; readonly clock: Clock }) {
    this.#deps = deps;
  }

  refused({ by, rule, scope }: Refused): void {
    const { metrics, log, clock } = this.#deps;
    metrics.callRefused(by);
    const name = `${rule} ${scope}`;
    const now = clock.elapsedMs();
    const told = this.#told.get(name);
    if (told !== undefined && now - told.atMs < TOLD_EVERY_MS) {
      told.since += 1;
      return;
    }
    if (this.#told.size >= MOST_RULES) this.#told.clear();
    this.#told.set(name, { atMs: now, since: 0 });
    log.warn({ [by]: rule, scope, refused: 1 + (told?.since ?? 0) }, `calls are refused by a ${by}`);
  }
}
