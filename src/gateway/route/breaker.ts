import type { Cooldown } from '#config';

/** `closed` takes calls, `open` is passed over, `half_open` takes one call at a time to see whether it is well again. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** How an attempt ended, as far as it tells of the deployment. `unknown`: the caller left, or the fault was ours. */
export type Health = 'well' | 'failed' | 'unknown';

/** Whether a deployment is to be called, by how its calls went. In milliseconds of a clock that only goes forward. */
export class Breaker {
  readonly #cooldown: Cooldown;
  #inRow = 0;
  #tripped = false;
  #until = 0;
  #probing = false;
  #window = { since: 0, calls: 0, failures: 0 };

  constructor(cooldown: Cooldown) {
    this.#cooldown = cooldown;
  }

  state(nowMs: number): BreakerState {
    if (nowMs < this.#until) return 'open';
    return this.#tripped ? 'half_open' : 'closed';
  }

  /** Whether a call may be made now. */
  takes(nowMs: number): boolean {
    const state = this.state(nowMs);
    return state === 'closed' || (state === 'half_open' && !this.#probing);
  }

  /** A call begins: where the deployment is asked whether it is well again, no other one is until it ends. @returns whether it asks */
  begin(nowMs: number): boolean {
    if (this.state(nowMs) !== 'half_open' || this.#probing) return false;
    this.#probing = true;
    return true;
  }

  /** @param probe what `begin` said @param retryAfterMs what the provider asked to wait; 0 where it did not */
  end(health: Health, { nowMs, probe, retryAfterMs }: { nowMs: number; probe: boolean; retryAfterMs: number }): void {
    if (probe) this.#probing = false;
    if (health === 'unknown') return;
    this.#count(health, nowMs);
    if (health === 'well') {
      this.#inRow = 0;
      this.#tripped = false;
      this.#until = 0;
      return;
    }
    this.#inRow += 1;
    const { failures, forMs } = this.#cooldown;
    if (this.#tripped || this.#inRow >= failures || this.#failsTooOften()) {
      this.#tripped = true;
      this.#until = nowMs + forMs;
      this.#window = { since: nowMs, calls: 0, failures: 0 };
    } else if (retryAfterMs > 0) {
      this.#until = Math.max(this.#until, nowMs + Math.min(retryAfterMs, forMs));
    }
  }

  /** Of the calls of the window that runs. */
  get counted(): { readonly calls: number; readonly failures: number } {
    return this.#window;
  }

  #count(health: Health, nowMs: number): void {
    if (nowMs - this.#window.since >= this.#cooldown.windowMs) this.#window = { since: nowMs, calls: 0, failures: 0 };
    this.#window.calls += 1;
    if (health === 'failed') this.#window.failures += 1;
  }

  #failsTooOften(): boolean {
    const { calls, failures } = this.#window;
    const { minCalls, failureRate } = this.#cooldown;
    return calls >= minCalls && failures * 100 >= failureRate * calls;
  }
}
