import { z } from 'zod';
import { ROLES, type Role } from '#terms';
import { type ConfigFile } from './config-file.ts';
import { readVariable, type Environment } from './environment.ts';
import { type ConfigProblem } from './problem.ts';
import { schemaProblems } from './schema-issue.ts';

/** Where people sign in with OpenID Connect, and what becomes of them here. */
export type OidcConfig = {
  /** Without a slash at the end unless the provider's own name has one. */
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /** Where browsers reach this server, without a slash at the end. */
  readonly publicUrl: string;
  /** What the button says. */
  readonly name: string;
  readonly scopes: readonly string[];
  /** In lower case; null for any. */
  readonly allowedDomains: readonly string[] | null;
  readonly requireVerifiedEmail: boolean;
  /** Whether somebody who was not invited becomes a member on the first sign-in. */
  readonly provision: boolean;
  /** Of those the provider says nothing about; null: they are refused. */
  readonly defaultRole: Role | null;
  /** Which values of which claim give which role. Null: the provider says nothing about roles. */
  readonly roles: { readonly claim: string; readonly values: Readonly<Record<string, Role>> } | null;
  /** The same for teams; `values` is null where the claim has the teams' own ids. */
  readonly teams: { readonly claim: string; readonly values: Readonly<Record<string, string>> | null } | null;
};

const text = z.string().trim().min(1).max(512);
const secret = z.string().min(1).max(4096);
const domain = z
  .string()
  .regex(/^(?:\*|[a-z0-9-]+(?:\.[a-z0-9-]+)+)$/i, 'a domain such as example.com, or "*" for any');

const OIDC_FIELDS = {
  issuer: z.string().refine(isSafeUrl, 'an https address; http only on this machine'),
  client_id: text,
  client_secret: secret.optional(),
  client_secret_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')
    .optional(),
  public_url: z.string().refine(isSafeUrl, 'an https address; http only on this machine'),
  name: text.max(60).optional(),
  scopes: z.array(z.string().regex(/^[\x21-\x7e]+$/, 'a word')).optional(),
  allowed_domains: z.array(domain).min(1, 'a list with at least one domain, or ["*"]'),
  require_verified_email: z.boolean().optional(),
  provision: z.boolean().optional(),
  default_role: z.enum(ROLES).nullable().optional(),
  role_claim: text.optional(),
  roles: z.record(text, z.enum(ROLES)).optional(),
  team_claim: text.optional(),
  teams: z.record(text, text).optional(),
};

export const OIDC_KEYS = Object.keys(OIDC_FIELDS);

const oidcSchema = z.object(OIDC_FIELDS, 'an object');

const PATH = ['oidc'] as const;

export function readOidc(
  file: ConfigFile,
  env: Environment,
): { readonly oidc: OidcConfig | null; readonly problems: ConfigProblem[] } {
  const given = file.value(PATH);
  if (given === undefined) return { oidc: null, problems: [] };
  const parsed = oidcSchema.safeParse(given);
  const problems = [
    ...file.strayKeys(PATH, OIDC_KEYS),
    ...file.repeatedKeysBelow(PATH),
    ...schemaProblems(parsed.error, { file, path: PATH }),
  ];
  const { data } = parsed;
  if (data === undefined) return { oidc: null, problems };
  problems.push(...pairProblems(file, data));
  const clientSecret = readSecret(file, data, { env, problems });
  return { oidc: { ...toOidc(data), clientSecret }, problems };
}

type Stated = z.infer<typeof oidcSchema>;

function toOidc(data: Stated): Omit<OidcConfig, 'clientSecret'> {
  const domains = data.allowed_domains.map((one) => one.toLowerCase());
  return {
    issuer: data.issuer,
    clientId: data.client_id,
    publicUrl: data.public_url.replace(/\/+$/, ''),
    name: data.name ?? new URL(data.issuer).hostname,
    scopes: [...new Set(['openid', ...(data.scopes ?? ['email', 'profile'])])],
    allowedDomains: domains.includes('*') ? null : domains,
    requireVerifiedEmail: data.require_verified_email ?? true,
    provision: data.provision ?? true,
    defaultRole: data.default_role === undefined ? 'viewer' : data.default_role,
    roles: data.role_claim === undefined ? null : { claim: data.role_claim, values: data.roles ?? {} },
    teams: data.team_claim === undefined ? null : { claim: data.team_claim, values: data.teams ?? null },
  };
}

/** A mapping without the claim it reads would change nothing. */
function pairProblems(file: ConfigFile, data: Stated): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const what = 'it belongs to a claim that is not named';
  if (data.roles !== undefined && data.role_claim === undefined)
    problems.push({ setting: file.named([...PATH, 'roles']), what, fix: 'State "role_claim" too.' });
  if (data.teams !== undefined && data.team_claim === undefined)
    problems.push({ setting: file.named([...PATH, 'teams']), what, fix: 'State "team_claim" too.' });
  if (data.role_claim !== undefined && data.roles === undefined) {
    const fix = 'State "roles": which value of the claim gives which role.';
    problems.push({ setting: file.named([...PATH, 'role_claim']), what: 'it gives no role', fix });
  }
  return problems;
}

function readSecret(
  file: ConfigFile,
  { client_secret: inFile, client_secret_env: variable }: Stated,
  { env, problems }: { readonly env: Environment; readonly problems: ConfigProblem[] },
): string | null {
  if (variable === undefined) return inFile ?? null;
  const setting = file.named([...PATH, 'client_secret_env']);
  if (inFile !== undefined) problems.push({ setting, what: 'client_secret is set too', fix: 'Keep one of them.' });
  const found = readVariable(env, variable);
  if (found === undefined)
    problems.push({ setting, what: `the environment has no ${variable}`, fix: 'Set that variable.' });
  return found ?? null;
}

/** A sign-in over plain HTTP could be read and changed on its way. */
function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(value);
  if (username !== '' || password !== '' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
