import type { FastifyInstance } from 'fastify';
import type { DeploymentStanding, RouteStanding } from '#processes';
import { ApportionError } from '#terms';

/** How the gateway process knows its routes; null while it does not say. */
export type RouteStandings = () => Promise<readonly RouteStanding[] | null>;

/** The routes of the settings, and how their deployments stand. */
export function addRouteRoutes(app: FastifyInstance, { routes }: { readonly routes: RouteStandings }): void {
  app.get('/v1/routes', async () => {
    const standing = await routes();
    if (standing === null)
      throw new ApportionError('ledger_unavailable', 'The gateway process does not say how its routes stand.', {
        hint: 'Ask again in a moment.',
      });
    return { object: 'list', data: standing.map(toWireRoute) };
  });
}

function toWireRoute({ name, strategy, sticky, deployments, fallbacks }: RouteStanding): unknown {
  return { object: 'route', name, strategy, sticky, deployments: deployments.map(toWireDeployment), fallbacks };
}

function toWireDeployment(deployment: DeploymentStanding): unknown {
  const { id, provider, model, weight, tags, limits, state, running, firstByteMs, recent } = deployment;
  return {
    id,
    provider,
    model,
    weight,
    tags,
    limits: {
      requests_per_minute: limits.requestsPerMinute,
      tokens_per_minute: limits.tokensPerMinute,
      parallel: limits.parallel,
    },
    state,
    running,
    first_byte_ms: firstByteMs,
    recent,
  };
}
