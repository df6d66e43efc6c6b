import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { type DeploymentLimits, type ModelRoute, type RouteDeployment } from './routing.ts';

/** One id is one deployment wherever it stands: of one provider and model, with one set of limits. */
export function idProblems(routes: readonly ModelRoute[], file: ConfigFile): ConfigProblem[] {
  const known = new Map<string, RouteDeployment>();
  return routes.flatMap(({ name, deployments }) =>
    deployments.flatMap((deployment) => {
      const { id, limits } = deployment;
      const other = known.get(id) ?? deployment;
      known.set(id, isLimited(other.limits) ? other : { ...other, limits });
      const setting = file.named(['models', name, 'deployments']);
      if (other.provider !== deployment.provider || other.model !== deployment.model)
        return [{ setting, what: `the id "${id}" stands for two deployments`, fix: 'Give each its own "id".' }];
      if (!isLimited(limits) || !isLimited(other.limits) || isSame(limits, other.limits)) return [];
      const fix = 'State them once, or give each its own "id".';
      return [{ setting, what: `"${id}" has other limits elsewhere`, fix }];
    }),
  );
}

function isLimited({ requestsPerMinute, tokensPerMinute, parallel }: DeploymentLimits): boolean {
  return requestsPerMinute !== null || tokensPerMinute !== null || parallel !== null;
}

function isSame(left: DeploymentLimits, right: DeploymentLimits): boolean {
  return (
    left.requestsPerMinute === right.requestsPerMinute &&
    left.tokensPerMinute === right.tokensPerMinute &&
    left.parallel === right.parallel
  );
}
