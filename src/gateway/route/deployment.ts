import type { Cooldown, DeploymentLimits } from '#config';
import { LimitBook, type Consumption, type LimitAnswer, type LimitRequest, type RateLimit } from '#budgets';
import type { Clock } from '#std';
import { Breaker, type BreakerState, type Health } from './breaker.ts';
import { Latency } from './latency.ts';

const MINUTE_MS = 60_000;

/** How a deployment stands in this process. */
export type DeploymentState = {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly state: BreakerState;
  readonly running: number;
  /** Milliseconds, of streams and of answers at once; null where nothing recent is known. */
  readonly firstByteMs: { readonly stream: number | null; readonly whole: number | null };
  /** Of the window the failure rate is taken over. */
  readonly recent: { readonly calls: number; readonly failures: number };
};

/** An attempt that wants to start. */
export type Visitor = { readonly attempt: string; readonly tokens: number; readonly stream: boolean };

/** How an attempt went. */
export type Visited = {
  readonly health: Health;
  /** Null where no byte of an answer came. */
  readonly firstByteMs: number | null;
  readonly retryAfterMs: number | null;
  /** Null where nobody knows: what was expected counts. */
  readonly tokens: number | null;
};

/** An attempt that a deployment takes. One of the two is called, once; what comes after is left out. */
export type Visit = {
  end(visited: Visited): void;
  /** Nothing was sent. */
  cancel(): void;
};

export type Entrance =
  | { readonly kind: 'entered'; readonly visit: Visit }
  | { readonly kind: 'resting' }
  | { readonly kind: 'limited'; readonly answer: Extract<LimitAnswer, { readonly kind: 'refused' }> };

type Named = { readonly id: string; readonly provider: string; readonly model: string };

/** Limits of a deployment are for all calls that go there. */
const ANY_CALL = {
  key: '',
  team: '',
  owner: '',
  model: '',
  provider: '',
  route: '',
  tags: { dimensions: new Map(), labels: [], paths: [] },
};

/** A deployment of the settings as this process knows it: what runs there, how fast and how well it answers, what it may take. */
export class Deployment implements Named {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly limits: DeploymentLimits;
  readonly #clock: Clock;
  readonly #breaker: Breaker;
  readonly #latency = { stream: new Latency(), whole: new Latency() };
  readonly #book: LimitBook | null;
  #running = 0;

  constructor(named: Named, limits: DeploymentLimits, deps: { readonly clock: Clock; readonly cooldown: Cooldown }) {
    this.id = named.id;
    this.provider = named.provider;
    this.model = named.model;
    this.limits = limits;
    this.#clock = deps.clock;
    this.#breaker = new Breaker(deps.cooldown);
    const rules = rulesOf(named.id, limits);
    this.#book = rules.length === 0 ? null : new LimitBook();
    this.#book?.replace(rules);
  }

  get running(): number {
    return this.#running;
  }

  get isWell(): boolean {
    return this.#breaker.takes(this.#clock.elapsedMs());
  }

  firstByteMs(stream: boolean): number | null {
    return (stream ? this.#latency.stream : this.#latency.whole).at(this.#clock.elapsedMs());
  }

  /** @param wanted `resting`: to be called although it rests, for want of others */
  enter(visitor: Visitor, wanted: 'well' | 'resting'): Entrance {
    const nowMs = this.#clock.elapsedMs();
    if (wanted === 'well' && !this.#breaker.takes(nowMs)) return { kind: 'resting' };
    const limits = this.#book?.take(this.#request(visitor));
    if (limits?.kind === 'refused') return { kind: 'limited', answer: limits };
    const probe = this.#breaker.begin(nowMs);
    this.#running += 1;
    return { kind: 'entered', visit: this.#visit(visitor, probe) };
  }

  /** Whether an attempt would be taken; nothing is. */
  peek(visitor: Visitor): Exclude<Entrance, { readonly kind: 'entered' }> | null {
    const limits = this.#book?.peek(this.#request(visitor));
    if (limits?.kind === 'refused') return { kind: 'limited', answer: limits };
    return this.isWell ? null : { kind: 'resting' };
  }

  state(): DeploymentState {
    const nowMs = this.#clock.elapsedMs();
    const { calls, failures } = this.#breaker.counted;
    return {
      id: this.id,
      provider: this.provider,
      model: this.model,
      state: this.#breaker.state(nowMs),
      running: this.#running,
      firstByteMs: { stream: this.#latency.stream.at(nowMs), whole: this.#latency.whole.at(nowMs) },
      recent: { calls, failures },
    };
  }

  #request({ attempt, tokens }: Visitor): LimitRequest {
    return { id: attempt, call: ANY_CALL, at: this.#clock.now(), tokens, usd: null };
  }

  #visit(visitor: Visitor, probe: boolean): Visit {
    let open = true;
    const leave = (health: Health, retryAfterMs: number): boolean => {
      if (!open) return false;
      open = false;
      this.#running -= 1;
      this.#breaker.end(health, { nowMs: this.#clock.elapsedMs(), probe, retryAfterMs });
      return true;
    };
    return {
      end: ({ health, firstByteMs, retryAfterMs, tokens }) => {
        if (!leave(health, retryAfterMs ?? 0)) return;
        const used: Consumption = { tokens: tokens ?? visitor.tokens, usd: null };
        this.#book?.finish(visitor.attempt, used, this.#clock.now());
        if (health !== 'well' || firstByteMs === null) return;
        const { stream, whole } = this.#latency;
        (visitor.stream ? stream : whole).add(firstByteMs, this.#clock.elapsedMs());
      },
      cancel: () => {
        if (leave('unknown', 0)) this.#book?.cancel(visitor.attempt, this.#clock.now());
      },
    };
  }
}

function rulesOf(id: string, { requestsPerMinute, tokensPerMinute, parallel }: DeploymentLimits): RateLimit[] {
  const rule = { scope: [], counts: 'declared', effectiveFrom: null, effectiveTo: null } as const;
  const perMinute = (measure: 'requests' | 'tokens', amount: number | null): RateLimit[] => {
    if (amount === null) return [];
    const pace = { kind: 'bucket', perMs: MINUTE_MS, burst: BigInt(amount) } as const;
    return [{ ...rule, id: measure, name: `${id}: ${measure} per minute`, amount: BigInt(amount), measure, pace }];
  };
  const atOnce: RateLimit[] =
    parallel === null
      ? []
      : [{ ...rule, id: 'parallel', name: `${id}: calls at once`, amount: BigInt(parallel), measure: 'parallel' }];
  return [...perMinute('requests', requestsPerMinute), ...perMinute('tokens', tokensPerMinute), ...atOnce];
}
