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

/** A provider's model behind a route's name. */
export type RouteDeployment = { readonly provider: string; readonly model: string; readonly weight: number };

/** A model name of the operator's own: one deployment makes it an alias, several share its calls by weight. */
export type ModelRoute = {
  readonly name: string;
  readonly deployments: readonly RouteDeployment[];
  /** Models or routes to try in turn when none of the deployments answers. */
  readonly fallbacks: readonly string[];
};

export type RoutingConfig = {
  readonly routes: readonly ModelRoute[];
  readonly retries: RetryPolicy;
  /** A deployment that failed this often in a row is passed over for this long. */
  readonly cooldown: { readonly failures: number; readonly forMs: number };
};

export const NO_ROUTING: RoutingConfig = {
  routes: [],
  retries: { maxAttempts: 3, backoffMs: 250, maxBackoffMs: 5_000, whenUnknown: 'stop', plainModels: false },
  cooldown: { failures: 3, forMs: 30_000 },
};
