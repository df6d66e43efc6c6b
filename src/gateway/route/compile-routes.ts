import {
  NO_LIMITS,
  type DeploymentLimits,
  type ModelRoute,
  type RouteDeployment,
  type RoutingConfig,
  type Strategy,
} from '#config';
import type { Clock } from '#std';
import { Deployment } from './deployment.ts';
import { toRouteTag, type RouteTag } from './route-tags.ts';

/** A deployment where it stands in a route. */
export type Place = {
  readonly deployment: Deployment;
  readonly weight: number;
  /** As the settings write them. */
  readonly tags: readonly string[];
};

/** A route of the settings, ready to be asked. */
export type Route = {
  readonly name: string;
  readonly strategy: Strategy;
  readonly sticky: boolean;
  readonly places: readonly Place[];
  /** Of each place. */
  readonly tags: readonly (readonly RouteTag[])[];
  readonly fallbacks: readonly string[];
};

type Compiled = {
  readonly routes: ReadonlyMap<string, Route>;
  /** What fallbacks name beside them: a model is a route of one deployment. */
  readonly models: ReadonlyMap<string, Route>;
  readonly deployments: ReadonlyMap<string, Deployment>;
};

/** One deployment for each id, in however many routes it stands. */
export function compileRoutes(config: RoutingConfig, clock: Clock): Compiled {
  const { cooldown } = config;
  const deployments = new Map<string, Deployment>();
  const stated = config.routes.flatMap((route) => route.deployments);
  // Limits that stand in one route hold in all.
  const limits = new Map(stated.map(({ id, limits: own }) => [id, own]));
  for (const { id, limits: own } of stated) if (isLimited(own)) limits.set(id, own);
  const named = new Set(config.routes.map(({ name }) => name));
  const plain = new Set(config.routes.flatMap(({ fallbacks }) => fallbacks.filter((name) => !named.has(name))));
  const of = (one: RouteDeployment): Deployment => {
    const known = deployments.get(one.id);
    if (known !== undefined) return known;
    const made = new Deployment(one, limits.get(one.id) ?? one.limits, { clock, cooldown });
    deployments.set(one.id, made);
    return made;
  };
  const compile = (route: ModelRoute): Route => ({
    ...route,
    places: route.deployments.map((one) => ({ deployment: of(one), weight: one.weight, tags: one.tags })),
    tags: route.deployments.map(({ tags }) => tags.flatMap((tag) => toRouteTag(tag) ?? [])),
  });
  return {
    routes: new Map(config.routes.map((route) => [route.name, compile(route)])),
    models: new Map(Array.from(plain, (name) => [name, compile(routeOf(name))])),
    deployments,
  };
}

function isLimited(limits: DeploymentLimits): boolean {
  return Object.values(limits).some((limit) => limit !== null);
}

/** `provider/model`, as the settings were checked to write it. */
function routeOf(name: string): ModelRoute {
  const slash = name.indexOf('/');
  const [provider, model] = [name.slice(0, slash), name.slice(slash + 1)];
  const deployment = { id: name, provider, model, weight: 1, tags: [], limits: NO_LIMITS };
  return { name, strategy: 'ordered', sticky: false, deployments: [deployment], fallbacks: [] };
}
