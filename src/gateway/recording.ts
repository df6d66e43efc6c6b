import type { Consumption } from '#budgets';
import type { Journal, Reservation, Wish } from '#ledger';
import type { Log, Metrics } from '#observe';
import type { Clock } from '#std';
import { ApportionError, type PicoUsd } from '#terms';
import type { Leases } from './leases/leases.ts';

export type RecordingDeps = {
  readonly journal: Pick<Journal, 'reserve' | 'settle' | 'finish' | 'state' | 'peek'>;
  /** The operator's word that calls go on unrecorded while the journal cannot write. */
  readonly failOpen: boolean;
  /** Whether an intent falls in a strict budget: such a call never goes unrecorded. */
  readonly isStrict: (intent: string) => boolean;
  /** Where budgets are shared with other nodes. */
  readonly leases: Pick<Leases, 'obtain'> | null;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
};

/** A log line for each call that is unrecorded or refused would bury the first one. */
const ALARM_EVERY_MS = 10_000;

/** Others may spend what was leased for a call before it can. */
const MOST_LEASES = 16;

/**
 * The journal as calls use it. When it cannot write, calls are refused: nothing passes unmetered. With `fail_open` they
 * pass, and what they cost is counted in metrics and told in the log, but it is in no ledger.
 */
export class Recording {
  readonly #deps: RecordingDeps;
  readonly #unrecorded = new Set<string>();
  readonly #missed: Alarm;
  readonly #refused: Alarm;

  constructor(deps: RecordingDeps) {
    this.#deps = deps;
    this.#missed = new Alarm(deps.clock);
    this.#refused = new Alarm(deps.clock);
  }

  /** Why calls are refused at the moment; null while they are served. */
  refusal(): string | null {
    return this.#deps.failOpen || this.#deps.journal.state() === 'open' ? null : 'the journal cannot write';
  }

  /**
   * Resolves when the intent survives `kill -9` and every rule admits it, or with what does not. While the journal cannot write nobody
   * knows what is spent: with `fail_open` calls pass beside all rules but strict budgets.
   * @throws ApportionError `journal_unavailable`, unless calls may go unrecorded
   */
  async reserve(attempt: string, open: string, wish: Wish): Promise<Reservation> {
    try {
      return await this.#reserve(attempt, open, wish);
    } catch (error) {
      if (this.#deps.isStrict(open)) throw error;
      this.#admit(error);
      this.#unrecorded.add(attempt);
      return { kind: 'admitted', over: [], limits: [] };
    }
  }

  /** Leases what is missing of shared budgets on the way. */
  async #reserve(attempt: string, open: string, wish: Wish): Promise<Reservation> {
    const { journal, leases } = this.#deps;
    for (let left = MOST_LEASES; ; left -= 1) {
      const reservation = await journal.reserve(attempt, open, left > 0 ? wish : { ...wish, final: true });
      if (reservation.kind !== 'short') return reservation;
      if (leases === null || !(await leases.obtain(reservation.wants))) left = 1;
    }
  }

  /** What `reserve` would say of each of these now; nothing is held or written. */
  peek(asks: Parameters<Journal['peek']>[0]): Promise<readonly Reservation[]> {
    return this.#deps.journal.peek(asks);
  }

  /** The call is over with all its attempts: it took so much from rate limits. */
  finish(callId: string, used: Consumption): void {
    this.#deps.journal.finish(callId, used);
  }

  /** Resolves when the entry is on disk. @param cost what is missing from the ledger if it cannot be written */
  async settle(attempt: string, entry: string, cost: PicoUsd | null): Promise<'recorded' | 'unrecorded'> {
    const lost = this.#unrecorded.delete(attempt);
    try {
      if (!lost) {
        await this.#deps.journal.settle(attempt, entry, cost);
        return 'recorded';
      }
    } catch (error) {
      this.#admit(error);
    }
    this.#deps.metrics.callUnrecorded(cost);
    return 'unrecorded';
  }

  #admit(error: unknown): void {
    const known = error instanceof ApportionError && error.code === 'journal_unavailable';
    if (!known || !this.#deps.failOpen) throw error;
    const unrecorded = this.#missed.raise();
    if (unrecorded === null) return;
    this.#deps.log.error(
      { err: error, unrecorded },
      'calls pass unrecorded: the journal cannot write, and fail_open is set',
    );
  }

  /** A call ends in this error of the journal. */
  refused(error: ApportionError, callId: string): void {
    this.#deps.metrics.journalFailed();
    const refused = this.#refused.raise();
    if (refused === null) return;
    const what = { err: error, call_id: callId, refused };
    this.#deps.log.error(what, 'a call is refused because the journal cannot write');
  }
}

class Alarm {
  readonly #clock: Clock;
  #count = 0;
  #toldMs = -ALARM_EVERY_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How often it was raised so far; null where that was told a moment ago. */
  raise(): number | null {
    this.#count += 1;
    const now = this.#clock.elapsedMs();
    if (now - this.#toldMs < ALARM_EVERY_MS) return null;
    this.#toldMs = now;
    return this.#count;
  }
}
