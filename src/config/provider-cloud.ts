import type { Cloud, CloudAccess, Provider, SignInSettings } from '#providers';
import { readVariable, type Environment } from './environment.ts';
import { type ConfigProblem } from './problem.ts';
import { SIGN_IN_KEYS, type ProviderEntry } from './provider-fields.ts';

/** The keys of an entry that belong to clouds; those of `sign_in` by their path. */
const CLOUD_KEYS = ['api_version', 'project', ...SIGN_IN_KEYS.map((key) => `sign_in.${key}`)];

type Stated = {
  readonly entry: ProviderEntry;
  readonly place: string;
  readonly env: Environment;
  /** Null where the cloud knows its own. */
  readonly baseUrl: string | null;
  readonly hasKey: boolean;
};

type Read = { readonly access: CloudAccess | null; readonly problems: readonly ConfigProblem[] };

/** Where a provider in a cloud is, and how it is signed in to. `access` is null for one that is in none. */
export function readCloud(stated: Stated, known: Provider | undefined): Read {
  const { entry, place, env } = stated;
  const secret = readSecret(stated);
  const problems = [...strayProblems(stated, known), ...secret.problems];
  if (known?.cloud === undefined || problems.length > 0) return { access: null, problems };
  const found = known.cloud.open({
    baseUrl: stated.baseUrl,
    hasKey: stated.hasKey,
    region: entry.region ?? '',
    apiVersion: entry.api_version ?? null,
    project: entry.project ?? null,
    deployments: new Map(Object.entries(entry.deployments ?? {})),
    signIn: entry.sign_in === undefined ? null : toSignIn(entry.sign_in, secret.value),
    variable: (name) => readVariable(env, name),
  });
  if (!('key' in found)) return { access: found, problems };
  const setting = found.key === '' ? place : `${place}.${found.key}`;
  return { access: null, problems: [{ setting, what: found.what, fix: found.fix }] };
}

function strayProblems({ entry, place }: Stated, known: Provider | undefined): ConfigProblem[] {
  const takes: Cloud['takes'] = known?.cloud?.takes ?? [];
  return CLOUD_KEYS.filter((key) => isStated(entry, key) && !takes.includes(key)).map((key) => ({
    setting: `${place}.${key}`,
    what: `${known?.title ?? 'this provider'} takes no such setting`,
    fix: takes.length === 0 ? 'Leave it out.' : `It takes ${takes.join(', ')}.`,
  }));
}

function isStated(entry: ProviderEntry, key: string): boolean {
  const [name = '', inner] = key.split('.');
  const value: unknown = Object.entries(entry).find(([one]) => one === name)?.[1];
  if (inner === undefined || typeof value !== 'object' || value === null)
    return inner === undefined && value !== undefined;
  return Object.hasOwn(value, inner);
}

function readSecret({ entry, place, env }: Stated): { value: string | undefined; problems: ConfigProblem[] } {
  const variable = entry.sign_in?.client_secret_env;
  const value = variable === undefined ? undefined : readVariable(env, variable);
  if (variable === undefined || value !== undefined) return { value, problems: [] };
  const setting = `${place}.sign_in.client_secret_env`;
  return { value, problems: [{ setting, what: `the environment has no ${variable}`, fix: 'Set that variable.' }] };
}

function toSignIn(stated: NonNullable<ProviderEntry['sign_in']>, secret: string | undefined): SignInSettings {
  const { tenant_id, client_id, managed_identity, authority, scope, profile, file } = stated;
  return {
    ...(tenant_id === undefined ? {} : { tenantId: tenant_id }),
    ...(client_id === undefined ? {} : { clientId: client_id }),
    ...(secret === undefined ? {} : { clientSecret: secret }),
    ...(managed_identity === undefined ? {} : { managedIdentity: managed_identity }),
    ...(authority === undefined ? {} : { authority }),
    ...(scope === undefined ? {} : { scope }),
    ...(profile === undefined ? {} : { profile }),
    ...(file === undefined ? {} : { file }),
  };
}
