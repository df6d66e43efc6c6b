import type { RetryPolicy, RouteDeployment, RoutingConfig } from '#config';
import type { Clock } from '#std';
import type { Wire } from '#wires';
import type { Choice, Upstreams } from './upstreams.ts';

/** One deployment to try, and why it is tried. */
export type Step = Choice & {
  readonly cause: 'first' | 'retry' | 'fallback';
  /** Milliseconds to wait before; 0 where another deployment takes over. */
  readonly waitMs: number;
};

/** How an attempt ended, as far as the next one depends on it. */
export type Verdict = {
  /** The deployment failed in a way that another, or a later, attempt may not. */
  readonly worthAnother: boolean;
  /** This very deployment may answer if it is asked again a little later. */
  readonly passing: boolean;
  /** What the provider asked to wait; null where it did not. */
  readonly retryAfterMs: number | null;
};

export type RoutingDeps = {
  readonly upstreams: Upstreams;
  readonly config: RoutingConfig;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
};

/** Which deployments a model's name stands for, in which order they are tried, and which are passed over for a while. */
export class Routing {
  readonly #deps: RoutingDeps;
  readonly #routes: ReadonlyMap<string, RoutingConfig['routes'][number]>;
  readonly #health = new Map<string, Health>();

  constructor(deps: RoutingDeps) {
    this.#deps = deps;
    this.#routes = new Map(deps.config.routes.map((route) => [route.name, route]));
  }

  /** Names of routes, for the list of models. */
  names(): readonly string[] {
    return [...this.#routes.keys()];
  }

  /** The way of a call; undefined when nobody serves the model to callers of this wire. */
  plan(model: string, wire: Wire): Itinerary | undefined {
    const route = this.#routes.get(model);
    if (route === undefined) {
      const choice = this.#deps.upstreams.choose(model, wire);
      if (choice === undefined) return undefined;
      const { plainModels, ...policy } = this.#deps.config.retries;
      return new Itinerary('', [{ choice, cause: 'first' }], {
        policy: plainModels ? policy : { ...policy, maxAttempts: 1 },
        random: this.#deps.random,
      });
    }
    const own = this.#order(route.deployments, wire);
    const reserve = route.fallbacks.flatMap((name) => this.#resolve(name, wire));
    const { retries } = this.#deps.config;
    // Fallbacks are the operator's wish: deployments of the route leave room for at least one of them.
    const room = Math.max(1, retries.maxAttempts - Math.min(reserve.length, retries.maxAttempts - 1));
    const stops = [
      ...own.slice(0, room).map((choice, at): Stop => ({ choice, cause: at === 0 ? 'first' : 'retry' })),
      ...reserve.map((choice): Stop => ({ choice, cause: own.length === 0 ? 'first' : 'fallback' })),
    ];
    const awake = stops.filter(({ choice }) => !this.#isCooling(choice));
    // With every deployment cooling down, trying one is better than refusing without a try.
    const usable = awake.length > 0 ? awake : stops;
    return usable.length === 0
      ? undefined
      : new Itinerary(model, usable, { policy: retries, random: this.#deps.random });
  }

  /** Tells how a deployment did: after failures in a row it is passed over for a while. */
  report(choice: Choice, verdict: Verdict): void {
    const { failures, forMs } = this.#deps.config.cooldown;
    const name = deploymentName(choice);
    if (!verdict.worthAnother) {
      this.#health.delete(name);
      return;
    }
    const known = this.#health.get(name) ?? { failures: 0, until: 0 };
    const count = known.failures + 1;
    const now = this.#deps.clock.elapsedMs();
    const asked = verdict.retryAfterMs === null ? 0 : Math.min(verdict.retryAfterMs, forMs);
    this.#health.set(name, { failures: count, until: now + (count >= failures ? forMs : asked) });
  }

  #isCooling(choice: Choice): boolean {
    const health = this.#health.get(deploymentName(choice));
    return health !== undefined && health.until > this.#deps.clock.elapsedMs();
  }

  #resolve(name: string, wire: Wire): Choice[] {
    const route = this.#routes.get(name);
    if (route !== undefined) return this.#order(route.deployments, wire);
    const choice = this.#deps.upstreams.choose(name, wire);
    return choice === undefined ? [] : [choice];
  }

  /** All deployments once, each place drawn by weight from those that are left. */
  #order(deployments: readonly RouteDeployment[], wire: Wire): Choice[] {
    const left = deployments.flatMap(({ provider, model, weight }) => {
      const choice = this.#deps.upstreams.at(provider, model, wire);
      return choice === undefined ? [] : [{ choice, weight }];
    });
    const ordered: Choice[] = [];
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      let drawn = this.#deps.random() * total;
      const at = left.findIndex(({ weight }) => (drawn -= weight) < 0);
      const [taken] = left.splice(at === -1 ? 0 : at, 1);
      if (taken !== undefined) ordered.push(taken.choice);
    }
    return ordered;
  }
}

type Health = { readonly failures: number; readonly until: number };

type Stop = { readonly choice: Choice; readonly cause: Step['cause'] };

function deploymentName({ upstream, model }: Choice): string {
  return `${upstream.name}/${model}`;
}

/** The stops of one call: each deployment once, then over again with growing pauses, up to the limit. */
export class Itinerary {
  /** The route's name; empty when the caller named a model. */
  readonly route: string;
  readonly #stops: readonly Stop[];
  readonly #policy: Omit<RetryPolicy, 'plainModels'>;
  readonly #random: () => number;
  #made = 0;

  constructor(
    route: string,
    stops: readonly Stop[],
    deps: { readonly policy: Omit<RetryPolicy, 'plainModels'>; readonly random: () => number },
  ) {
    this.route = route;
    this.#stops = stops;
    this.#policy = deps.policy;
    this.#random = deps.random;
  }

  /** The way of a call that names no model: one deployment, once. */
  static to(choice: Choice): Itinerary {
    return new Itinerary('', [{ choice, cause: 'first' }], {
      policy: { maxAttempts: 1, backoffMs: 0, maxBackoffMs: 0, whenUnknown: 'stop' },
      random: () => 0,
    });
  }

  get whenUnknown(): RetryPolicy['whenUnknown'] {
    return this.#policy.whenUnknown;
  }

  first(): Step {
    this.#made = 1;
    const [stop] = this.#stops;
    if (stop === undefined) throw new RangeError('an itinerary has a stop');
    return { ...stop.choice, cause: 'first', waitMs: 0 };
  }

  /** What to try after a failed attempt; null when that was the last. */
  next(verdict: Verdict): Step | null {
    if (!verdict.worthAnother || this.#made >= this.#policy.maxAttempts) return null;
    const fresh = this.#stops[this.#made];
    if (fresh !== undefined) {
      this.#made += 1;
      return { ...fresh.choice, cause: fresh.cause === 'first' ? 'retry' : fresh.cause, waitMs: 0 };
    }
    if (!verdict.passing) return null;
    const waitMs = this.#pause(verdict);
    const again = this.#stops[this.#made % this.#stops.length];
    if (waitMs === null || again === undefined) return null;
    this.#made += 1;
    return { ...again.choice, cause: again.cause === 'fallback' ? 'fallback' : 'retry', waitMs };
  }

  /** Doubles with each round, with jitter, so that callers who failed together do not come back together. */
  #pause({ retryAfterMs }: Verdict): number | null {
    const { backoffMs, maxBackoffMs } = this.#policy;
    if (retryAfterMs !== null && retryAfterMs > maxBackoffMs) return null;
    const round = this.#made - this.#stops.length;
    const grown = Math.min(maxBackoffMs, backoffMs * 2 ** round);
    return Math.max(retryAfterMs ?? 0, grown * (0.5 + this.#random() / 2));
  }
}
