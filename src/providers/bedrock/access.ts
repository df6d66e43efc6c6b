import { claudeAtBedrock, isClaude } from '#wires';
import type { CloudAccess, CloudProblem, CloudSettings, Provider } from '../provider.ts';

export const TAKES = ['sign_in.profile'] as const;

const ENDPOINT = /^https?:\/\/bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./;

export function openBedrock(settings: CloudSettings): CloudAccess | CloudProblem {
  const { baseUrl, hasKey, signIn, variable, deployments } = settings;
  const region =
    settings.region ||
    (ENDPOINT.exec(baseUrl ?? '')?.[1] ?? variable('AWS_REGION') ?? variable('AWS_DEFAULT_REGION') ?? '');
  if (region === '') {
    const fix = 'State "region", such as us-east-1, or set AWS_REGION.';
    return { key: 'region', what: 'the region is missing', fix };
  }
  if (hasKey && signIn !== null) {
    return { key: 'sign_in', what: 'a key and a profile are both stated', fix: 'Keep one of them.' };
  }
  return {
    baseUrl: baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`,
    region,
    signIn: hasKey ? null : { kind: 'aws', region, service: 'bedrock', profile: signIn?.profile ?? null },
    host: hostedWires(deployments),
  };
}

/** Its own wires as they are; Anthropic's messages for Claude, in Bedrock's frames. */
function hostedWires(deployments: ReadonlyMap<string, string>): NonNullable<Provider['host']> {
  return (wire, model) => {
    if (wire.dialect === 'bedrock') return wire;
    // The ARN of an application's own inference profile does not say which model it is.
    const named = deployments.get(model) ?? model;
    return wire.name === 'anthropic.messages' && isClaude(named) ? claudeAtBedrock : undefined;
  };
}
