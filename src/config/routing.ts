/** How a call is tried again. Only attempts that cannot have been billed are, unless `whenUnknown` accepts paying twice. */
export type RetryPolicy = {
  /** Attempts of a call in all, fallbacks included. */
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** An attempt that may have been billed although its answer was lost: leave it, or pay twice if need be. */
  readonly whenUnknown: 'stop' | 'retry';
  /** Holds for models that are no route, too: as soon as the settings state `retries`. Clients retry on their own. */
  readonly plainModels: boolean;
};

/** In which order the deployments of a route are tried. */
export const STRATEGIES = ['weighted', 'ordered', 'cheapest', 'fastest', 'least_busy'] as const;

export type Strategy = (typeof STRATEGIES)[number];

/** What a deployment takes at most, counted by each gateway process; null for any amount. */
export type DeploymentLimits = {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** Calls at the same time. */
  readonly parallel: number | null;
};

/** A provider's model behind a route's name. */
export type RouteDeployment = {
  /** What callers are told of it; `provider/model` unless stated. One id is one deployment, in however many routes. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly weight: number;
  /** As tags of calls are written; `default` takes calls that ask for none. */
  readonly tags: readonly string[];
  readonly limits: DeploymentLimits;
};

/** A model name of the operator's own: one deployment makes it an alias, several share its calls. */
export type ModelRoute = {
  readonly name: string;
  readonly strategy: Strategy;
  /** Calls of a session stay where its first one went. */
  readonly sticky: boolean;
  readonly deployments: readonly RouteDeployment[];
  /** Models or routes to try in turn when none of the deployments answers. */
  readonly fallbacks: readonly string[];
};

/** How tags of calls choose among a route's deployments. */
export type TagRouting = {
  readonly enabled: boolean;
  /** Whether one of the tags a call asks for is enough, or a deployment must have them all. */
  readonly match: 'any' | 'all';
  /** Tags that ask for deployments begin with it; empty where every tag may. */
  readonly prefix: string;
};

/** When a deployment is passed over: after failures in a row, or once too large a share of its calls fails. */
export type Cooldown = {
  readonly failures: number;
  readonly forMs: number;
  /** Percent of the calls of a window, which has at least `minCalls` of them. */
  readonly failureRate: number;
  readonly windowMs: number;
  readonly minCalls: number;
};

export type RoutingConfig = {
  readonly routes: readonly ModelRoute[];
  readonly tagRouting: TagRouting;
  readonly retries: RetryPolicy;
  readonly cooldown: Cooldown;
};

export const NO_LIMITS: DeploymentLimits = { requestsPerMinute: null, tokensPerMinute: null, parallel: null };

export const NO_ROUTING: RoutingConfig = {
  routes: [],
  tagRouting: { enabled: true, match: 'any', prefix: '' },
  retries: { maxAttempts: 3, backoffMs: 250, maxBackoffMs: 5_000, whenUnknown: 'stop', plainModels: false },
  cooldown: { failures: 3, forMs: 30_000, failureRate: 50, windowMs: 60_000, minCalls: 20 },
};
