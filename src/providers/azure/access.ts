import type { FarSide, UpstreamPlace, Wire } from '#wires';
import type { CloudAccess, CloudProblem, CloudSettings, Provider, SignInSettings } from '../provider.ts';
import type { EntraSignIn } from '../sign-in/entra.ts';

export const TAKES = [
  'api_version',
  'sign_in.tenant_id',
  'sign_in.client_id',
  'sign_in.client_secret_env',
  'sign_in.managed_identity',
  'sign_in.authority',
  'sign_in.scope',
] as const;

/** What a token of Microsoft Entra is for (learn.microsoft.com, Azure OpenAI, managed identity). */
const SCOPE = 'https://cognitiveservices.azure.com/.default';

/** People write the resource's address, or the one that OpenAI's client is given. */
const API_PATH = /(?:\/openai(?:\/v1)?)?\/*$/;

export function openAzure(settings: CloudSettings): CloudAccess | CloudProblem {
  const { baseUrl, apiVersion, region, hasKey } = settings;
  if (baseUrl === null) {
    const fix = 'State "base_url", such as https://my-resource.openai.azure.com.';
    return { key: 'base_url', what: 'the address of the Azure resource is missing', fix };
  }
  const signIn = settings.signIn === null ? null : entraSignIn(settings.signIn);
  if (signIn !== null && 'what' in signIn) return signIn;
  if (signIn === null && !hasKey) {
    const fix = 'Set AZURE_API_KEY, state "api_key_env", or state "sign_in": {} for a Microsoft Entra token.';
    return { key: '', what: 'neither a key nor a sign-in is stated', fix };
  }
  if (signIn !== null && hasKey) {
    return { key: 'sign_in', what: 'a key and a sign-in are both stated', fix: 'Keep one of them.' };
  }
  const resource = baseUrl.replace(API_PATH, '');
  return {
    baseUrl: `${resource}/openai${apiVersion === null ? '/v1' : ''}`,
    region,
    signIn,
    // The v1 API is OpenAI's own, whose model is the deployment.
    host: apiVersion === null ? null : deploymentPaths(apiVersion),
  };
}

function entraSignIn(stated: SignInSettings): EntraSignIn | CloudProblem {
  const { tenantId, clientId, clientSecret, managedIdentity, authority, scope } = stated;
  const common = { kind: 'entra', scope: scope ?? SCOPE, authority: authority ?? null } as const;
  if (managedIdentity === true) return { ...common, as: { who: 'managed identity', clientId: clientId ?? null } };
  if (clientSecret === undefined) return { ...common, as: { who: 'default chain' } };
  if (tenantId === undefined || clientId === undefined) {
    const fix = 'State tenant_id, client_id and client_secret_env together.';
    return { key: 'sign_in', what: 'a secret belongs to an application of a tenant', fix };
  }
  return { ...common, as: { who: 'application', tenantId, clientId, secret: clientSecret } };
}

/** Routes that name a deployment stand under it; files, batches and the like do not. */
const BY_DEPLOYMENT = /^\/(?:chat\/completions|completions|embeddings|images\/\w+|audio\/\w+)$/;

function deploymentPaths(apiVersion: string): NonNullable<Provider['host']> {
  const far: FarSide = { dialect: 'openai', path: (place) => deploymentPath(place, apiVersion), words: null };
  const hosted = new WeakMap<Wire, Wire>();
  return (wire) => {
    const known = hosted.get(wire) ?? { ...wire, far };
    hosted.set(wire, known);
    return known;
  };
}

function deploymentPath({ basePath, model, route, target }: UpstreamPlace, apiVersion: string): string {
  const place = route ?? '';
  const under = BY_DEPLOYMENT.test(place) && model !== '' ? `/deployments/${encodeURIComponent(model)}` : '';
  const query = new URLSearchParams(target.query);
  query.set('api-version', apiVersion);
  return `${basePath}${under}${place}?${query.toString()}`;
}
