import type { RoutingConfig, TagRouting } from '#config';
import type { RouteStanding } from '#processes';
import type { Clock } from '#std';
import type { PicoUsd, TagSet } from '#terms';
import type { Wire } from '#wires';
import { compileRoutes, type Place, type Route } from './route/compile-routes.ts';
import type { Deployment, DeploymentState, Entrance, Visit, Visitor } from './route/deployment.ts';
import { Itinerary, type Step, type Stop } from './route/itinerary.ts';
import { inOrder } from './route/order.ts';
import { askedTags, misfits, type AskedTags, type TagMisfit } from './route/route-tags.ts';
import { fractionOf, Sessions } from './route/sessions.ts';
import type { Choice, Upstreams } from './upstreams.ts';

export type RoutingDeps = {
  readonly upstreams: Upstreams;
  readonly config: RoutingConfig;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
};

/** A call that asks where to go. */
export type Asking = {
  readonly model: string;
  readonly wire: Wire;
  readonly tags: TagSet;
  readonly stream: boolean;
  /** What the call will probably cost at a deployment; null where it has no price. */
  readonly expected: (choice: Choice) => PicoUsd | null;
};

/** A deployment that was thought of for a call. */
export type Considered = {
  readonly place: Place;
  readonly role: Stop['role'];
  /** Undefined where the call cannot be made there in any wire. */
  readonly choice: Choice | undefined;
  readonly misfit: TagMisfit | null;
  readonly isWell: boolean;
  /** The session's last call was answered there. */
  readonly isKept: boolean;
};

/** What became of a question: the way, or why there is none. */
export type Planned = {
  readonly route: Route | null;
  readonly asked: AskedTags;
  /** In the order they are tried; what cannot be comes last. */
  readonly considered: readonly Considered[];
  /** Why a model that is no route is not for the call. */
  readonly misfit: TagMisfit | null;
  /** Null where nothing can be tried. */
  readonly itinerary: Itinerary | null;
};

type Consideration = { readonly asking: Asking; readonly asked: AskedTags; readonly role: Stop['role'] };

/** An attempt at a deployment of a route, and the session it is of. */
export type RouteVisitor = Visitor & { readonly route: string; readonly session: string | null };

/** Of a model that is no route nothing is remembered: callers choose its name. */
const UNKNOWN_PLACE: Entrance = {
  kind: 'entered',
  visit: { end: () => undefined, cancel: () => undefined },
};

/** Which deployments a model's name stands for, in which order they are tried, and which are passed over. */
export class Routing {
  readonly #deps: RoutingDeps;
  readonly #routes: ReadonlyMap<string, Route>;
  /** What fallbacks name beside routes. */
  readonly #models: ReadonlyMap<string, Route>;
  readonly #deployments: ReadonlyMap<string, Deployment>;
  readonly #tagRouting: TagRouting;
  readonly #sessions = new Sessions();

  constructor(deps: RoutingDeps) {
    this.#deps = deps;
    const { routes, models, deployments } = compileRoutes(deps.config, deps.clock);
    this.#routes = routes;
    this.#models = models;
    this.#deployments = deployments;
    // Where no deployment has a tag, whatever calls carry is for reports.
    const tagged = deps.config.routes.some((route) => route.deployments.some(({ tags }) => tags.length > 0));
    const { tagRouting } = deps.config;
    this.#tagRouting = { ...tagRouting, enabled: tagRouting.enabled && tagged };
  }

  /** Names of routes, for the list of models. */
  names(): readonly string[] {
    return [...this.#routes.keys()];
  }

  /** How every deployment of the settings stands in this process, those that only fallbacks name included. */
  states(): readonly DeploymentState[] {
    return Array.from(this.#deployments.values(), (deployment) => deployment.state());
  }

  /** How every route stands in this process. */
  standings(): readonly RouteStanding[] {
    return Array.from(this.#routes.values(), ({ name, strategy, sticky, places, fallbacks }) => ({
      name,
      strategy,
      sticky,
      deployments: places.map(({ deployment, weight, tags }) => ({
        ...deployment.state(),
        weight,
        tags,
        limits: deployment.limits,
      })),
      fallbacks,
    }));
  }

  /** The way of a call. */
  plan(asking: Asking): Planned {
    const { retries } = this.#deps.config;
    const asked = askedTags(asking.tags, this.#tagRouting);
    const route = this.#routes.get(asking.model);
    if (route === undefined) return this.#planModel(asking, asked);
    const own = this.#consider(route, { asking, asked, role: 'own' });
    const fallbacks = route.fallbacks.flatMap((name) => {
      const other = this.#routes.get(name) ?? this.#models.get(name);
      return other === undefined ? [] : this.#consider(other, { asking, asked, role: 'fallback' });
    });
    const considered = [...own, ...fallbacks];
    const way = { route: route.name, ...stopsOf(considered) };
    const isLost = way.stops.length + way.resting.length === 0;
    const itinerary = isLost ? null : new Itinerary(way, { policy: retries, random: this.#deps.random });
    return { route, asked, considered, misfit: null, itinerary };
  }

  /** Lets an attempt in at its deployment, where its limits and its health allow. */
  enter(step: Step, visitor: RouteVisitor): Entrance {
    const { deployment } = step;
    if (deployment === null) return UNKNOWN_PLACE;
    const entrance = deployment.enter(visitor, step.as);
    const { route, session } = visitor;
    if (entrance.kind !== 'entered' || session === null || this.#routes.get(route)?.sticky !== true) return entrance;
    return { ...entrance, visit: this.#remembering(entrance.visit, { route, session, deployment: deployment.id }) };
  }

  #remembering(visit: Visit, went: { route: string; session: string; deployment: string }): Visit {
    return {
      cancel: () => visit.cancel(),
      end: (visited) => {
        visit.end(visited);
        if (visited.health === 'well') this.#sessions.went(went.route, went.session, went.deployment);
      },
    };
  }

  /** One deployment, for which no tag speaks: a call that insists on one does not go there. */
  #planModel({ model, wire }: Asking, asked: AskedTags): Planned {
    const choice = this.#deps.upstreams.choose(model, wire);
    const [misfit = null] = misfits(asked, [[]], this.#tagRouting);
    const known = { route: null, asked, considered: [], misfit };
    if (choice === undefined || misfit !== null) return { ...known, itinerary: null };
    const { plainModels, ...policy } = this.#deps.config.retries;
    const way = { route: '', stops: [{ choice, deployment: null, role: 'own' as const }], resting: [] };
    const deps = { policy: plainModels ? policy : { ...policy, maxAttempts: 1 }, random: this.#deps.random };
    return { ...known, itinerary: new Itinerary(way, deps) };
  }

  /** The deployments that a call can go to, in the order of the route's strategy; then the others. */
  #consider(route: Route, { asking, asked, role }: Consideration): readonly Considered[] {
    const why = misfits(asked, route.tags, this.#tagRouting);
    const session = route.sticky ? asking.tags.sessionId : null;
    const kept = session === null ? undefined : this.#sessions.at(route.name, session);
    const [able, others]: [Considered[], Considered[]] = [[], []];
    for (const [at, place] of route.places.entries()) {
      const { provider, model, isWell } = place.deployment;
      const choice = this.#deps.upstreams.at(provider, model, asking.wire);
      const misfit = why[at] ?? null;
      (choice === undefined || misfit !== null ? others : able).push({
        place,
        role,
        choice,
        misfit,
        isWell,
        isKept: isWell && place.deployment.id === kept,
      });
    }
    return [...this.#ordered(route, able, asking), ...others];
  }

  #ordered(route: Route, able: readonly Considered[], { tags, stream, expected }: Asking): readonly Considered[] {
    if (able.length < 2) return able;
    const session = route.sticky ? tags.sessionId : null;
    const rated = able.map((considered) => {
      const { choice, place } = considered;
      const { deployment, weight } = place;
      return {
        considered,
        weight,
        expected: () => (choice === undefined ? null : expected(choice)),
        running: () => deployment.running,
        firstByteMs: () => deployment.firstByteMs(stream),
        // Where every node draws the same, a session finds its deployment through any of them.
        draw: () => (session === null ? this.#deps.random() : fractionOf(`${route.name} ${session} ${deployment.id}`)),
      };
    });
    const ordered = inOrder(route.strategy, rated).map(({ considered }) => considered);
    const kept = ordered.find(({ isKept }) => isKept);
    return kept === undefined ? ordered : [kept, ...ordered.filter((one) => one !== kept)];
  }
}

/** Each deployment once, those that are well apart from those that are not. */
function stopsOf(considered: readonly Considered[]): {
  readonly stops: readonly Stop[];
  readonly resting: readonly Stop[];
} {
  const seen = new Set<Deployment>();
  const [stops, resting]: [Stop[], Stop[]] = [[], []];
  for (const { place, role, choice, misfit, isWell } of considered) {
    const { deployment } = place;
    if (choice === undefined || misfit !== null || seen.has(deployment)) continue;
    seen.add(deployment);
    (isWell ? stops : resting).push({ choice, deployment, role });
  }
  return { stops, resting };
}
