import { claudeAtVertex, claudeCountAtVertex, geminiAtVertex, geminiCountAtVertex, isClaude, type Wire } from '#wires';
import type { CloudAccess, CloudProblem, CloudSettings, Provider } from '../provider.ts';

export const TAKES = ['project', 'sign_in.file'] as const;

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** An address that names project and location already. */
const WHOLE = /\/projects\/[^/]+\/locations\/([a-z0-9-]+)$/;

export function openVertex(settings: CloudSettings): CloudAccess | CloudProblem {
  const { baseUrl, hasKey, signIn } = settings;
  if (hasKey && signIn !== null) {
    return { key: 'sign_in', what: 'a key and a key file are both stated', fix: 'Keep one of them.' };
  }
  const whole = WHOLE.exec(baseUrl ?? '');
  const location = settings.region || (whole?.[1] ?? 'global');
  const place = whole === null ? placeOf(settings, location) : (baseUrl ?? '');
  if (typeof place !== 'string') return place;
  return {
    baseUrl: place,
    region: location,
    signIn: hasKey ? null : { kind: 'google', scope: SCOPE, file: signIn?.file ?? null },
    host: hostedWires(settings.deployments),
  };
}

function placeOf({ baseUrl, project, variable }: CloudSettings, location: string): string | CloudProblem {
  const id = project ?? variable('GOOGLE_CLOUD_PROJECT');
  if (id === undefined) {
    return { key: 'project', what: 'the project is missing', fix: 'State "project", or set GOOGLE_CLOUD_PROJECT.' };
  }
  const origin = (baseUrl ?? originOf(location)).replace(/\/v1$/, '');
  return `${origin}/v1/projects/${id}/locations/${location}`;
}

/** `us` and `eu` are several regions of one part of the world, and have addresses of their own. */
function originOf(location: string): string {
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}

const FOR_GEMINI: Readonly<Record<string, Wire>> = {
  'gemini.generateContent': geminiAtVertex,
  'gemini.countTokens': geminiCountAtVertex,
};

const FOR_CLAUDE: Readonly<Record<string, Wire>> = {
  'anthropic.messages': claudeAtVertex,
  'anthropic.count_tokens': claudeCountAtVertex,
};

function hostedWires(deployments: ReadonlyMap<string, string>): NonNullable<Provider['host']> {
  return ({ name }, model) => {
    const named = deployments.get(model) ?? model;
    return isClaude(named) ? FOR_CLAUDE[name] : FOR_GEMINI[name];
  };
}
