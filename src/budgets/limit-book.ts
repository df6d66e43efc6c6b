import { invariant, type TimestampMs } from '#std';
import { type PicoUsd } from '#terms';
import {
  bringTo,
  capacityOf,
  fits,
  limitKey,
  newGauge,
  remaining,
  resetMs,
  take,
  waitMs,
  type Gauge,
  type RateLimit,
} from './rate-limit.ts';
import { findLimitFault } from './rule-faults.ts';
import { instanceKey, ScopeIndex } from './scope-index.ts';
import { isOfDeployment, scopeText, type ScopedCall } from './scope.ts';

/** What a call takes: once, however many attempts it makes. */
export type Consumption = {
  /** Expected when the call starts, real when it ends. */
  readonly tokens: number;
  /** Null where nobody can say. */
  readonly usd: PicoUsd | null;
};

export type LimitRequest = Consumption & {
  readonly id: string;
  readonly call: ScopedCall;
  readonly at: TimestampMs;
};

/** How a limit stands for one call. */
export type LimitStanding = {
  readonly limitId: string;
  readonly limitName: string;
  readonly scope: string;
  /** It counts some models or providers: another deployment may take the call. */
  readonly ofDeployment: boolean;
  readonly measure: RateLimit['measure'];
  readonly limit: bigint;
  readonly remaining: bigint;
  /** Milliseconds until all of the limit is back; null for calls that run. */
  readonly resetMs: number | null;
};

export type LimitAnswer =
  | { readonly kind: 'admitted'; readonly standings: readonly LimitStanding[] }
  | {
      readonly kind: 'refused';
      /** The limit that takes longest to give way. */
      readonly by: LimitStanding;
      readonly needed: bigint;
      /** Null when time alone does not help: calls have to end, or the call is larger than the limit. */
      readonly retryAfterMs: number | null;
      readonly standings: readonly LimitStanding[];
    };

/** A gauge as plain data. Calls that ran are not in it: they ended with the process. */
export type GaugeRow = { readonly key: string; readonly taken: string; readonly since: number; readonly until: number };

type Taken = {
  readonly limit: RateLimit;
  readonly gauge: Gauge;
  readonly scope: string;
  readonly ofDeployment: boolean;
  readonly units: bigint;
  /** The gauge's when the call took from it. */
  readonly since: TimestampMs;
};

/** As for budgets: a caller who invents values must not fill the memory. */
const MOST_GAUGES = 1_000_000;

const OTHER = '(other)';

/** All rate limits of a node, for one thread. */
export class LimitBook {
  #index = new ScopeIndex<RateLimit>([], limitKey);
  readonly #gauges = new Map<string, Gauge>();
  readonly #calls = new Map<string, readonly Taken[]>();

  /** Puts these limits in force in place of all others; what was taken is kept. */
  replace(limits: readonly RateLimit[]): void {
    for (const limit of limits) invariant(findLimitFault(limit) === null, `limit ${limit.id} has no fault`);
    this.#index = new ScopeIndex(limits, limitKey);
  }

  /** Takes from every limit the call falls in, or from none. */
  take(request: LimitRequest): LimitAnswer {
    invariant(!this.#calls.has(request.id), 'a call takes from its limits once');
    const taken = this.#takenBy(request);
    const { at } = request;
    const refusing = taken.filter(({ gauge, limit, units }) => !fits(gauge, limit, units));
    const [first] = refusing
      .map((one) => ({ one, wait: waitMs(one.gauge, one.limit, { units: one.units, at }) ?? Number.POSITIVE_INFINITY }))
      .toSorted((left, right) => right.wait - left.wait);
    if (first !== undefined) {
      const standings = taken.map((one) => standingOf(one, at));
      const retryAfterMs = Number.isFinite(first.wait) ? first.wait : null;
      return { kind: 'refused', by: standingOf(first.one, at), needed: first.one.units, retryAfterMs, standings };
    }
    for (const { gauge, limit, units } of taken) {
      take(gauge, limit, units);
      gauge.open += 1;
    }
    this.#calls.set(request.id, taken);
    return { kind: 'admitted', standings: taken.map((one) => standingOf(one, at)) };
  }

  /** What `take` would say now; nothing is taken. */
  peek(request: LimitRequest): LimitAnswer {
    const answer = this.take(request);
    if (answer.kind === 'admitted') this.cancel(request.id, request.at);
    return answer;
  }

  /** Counts what has happened already, whatever is left. An attempt that is not the call's last one is no request. */
  count(ended: Omit<LimitRequest, 'id'> & { readonly requests: 0 | 1 }): void {
    for (const { limit, gauge, units } of this.#takenBy({ id: '', ...ended })) {
      if (limit.measure === 'parallel' || (limit.measure === 'requests' && ended.requests === 0)) continue;
      take(gauge, limit, units);
    }
  }

  /** The call ended: tokens and dollars are taken as they were, its place among parallel calls is free. */
  finish(id: string, real: Consumption, at: TimestampMs): void {
    for (const one of this.#end(id, at)) {
      const { limit, gauge, units } = one;
      const used = limit.measure === 'parallel' ? 0n : (unitsOf(limit, real) ?? units);
      take(gauge, limit, used - units);
    }
  }

  /** The call did not happen: everything is given back. */
  cancel(id: string, at: TimestampMs): void {
    for (const { gauge, limit, units } of this.#end(id, at)) take(gauge, limit, -units);
  }

  /** What a window has given back since the call took from it cannot come back twice: its gauge has started anew. */
  #end(id: string, at: TimestampMs): readonly Taken[] {
    const taken = this.#calls.get(id) ?? [];
    this.#calls.delete(id);
    return taken.filter(({ limit, gauge, since }) => {
      bringTo(gauge, limit, at);
      gauge.open -= 1;
      const isWindow = limit.measure !== 'parallel' && limit.pace.kind === 'window';
      return !isWindow || gauge.since === since;
    });
  }

  #takenBy({ call, at, ...wanted }: LimitRequest): readonly Taken[] {
    return this.#index.matching(call).flatMap(({ series, instance }) =>
      this.#index.rulesFor(series, call, at).map((limit) => {
        const gauge = this.#gaugeOf(limit, instance, at);
        bringTo(gauge, limit, at);
        // A cost that nobody can say is taken when it is known.
        const units = unitsOf(limit, wanted) ?? 0n;
        const scope = scopeText(series.conditions, instance);
        return { limit, gauge, scope, ofDeployment: isOfDeployment(series.conditions), units, since: gauge.since };
      }),
    );
  }

  #gaugeOf(limit: RateLimit, instance: readonly string[], at: TimestampMs): Gauge {
    const key = `${limitKey(limit)}\n${instanceKey(instance)}`;
    const known = this.#gauges.get(key);
    if (known !== undefined) return known;
    if (this.#gauges.size >= MOST_GAUGES && instance.some((value) => value !== OTHER)) {
      return this.#gaugeOf(
        limit,
        instance.map(() => OTHER),
        at,
      );
    }
    const gauge = newGauge(limit, at);
    this.#gauges.set(key, gauge);
    return gauge;
  }

  /** Forgets gauges that are at rest. */
  expire(at: TimestampMs): void {
    const limits = new Map(
      [...this.#index.series.values()].flatMap(({ rules }) => rules.map((rule) => [limitKey(rule), rule] as const)),
    );
    for (const [key, gauge] of this.#gauges) {
      const limit = limits.get(key.slice(0, key.indexOf('\n')));
      if (limit !== undefined) bringTo(gauge, limit, at);
      if (gauge.open === 0 && (limit === undefined || gauge.taken === 0n)) this.#gauges.delete(key);
    }
  }

  rows(): readonly GaugeRow[] {
    return Array.from(this.#gauges)
      .filter(([key]) => !key.includes(' parallel\n'))
      .map(([key, { taken, since, until }]) => ({ key, taken: taken.toString(), since, until }));
  }

  restore(rows: readonly GaugeRow[]): void {
    for (const { key, taken, since, until } of rows) {
      const gauge = { taken: BigInt(taken), since: since as TimestampMs, until: until as TimestampMs, open: 0 };
      this.#gauges.set(key, gauge);
    }
  }
}

function unitsOf(limit: RateLimit, { tokens, usd }: Consumption): bigint | null {
  switch (limit.measure) {
    case 'requests':
    case 'parallel':
      return 1n;
    case 'tokens':
      return BigInt(tokens);
    case 'usd':
      return usd;
  }
}

function standingOf({ limit, gauge, scope, ofDeployment }: Taken, at: TimestampMs): LimitStanding {
  return {
    limitId: limit.id,
    limitName: limit.name,
    scope,
    ofDeployment,
    measure: limit.measure,
    limit: capacityOf(limit),
    remaining: remaining(gauge, limit),
    resetMs: resetMs(gauge, limit, at),
  };
}
