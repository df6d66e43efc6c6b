import { type OidcConfig } from '#config';
import { ROLES, type Role } from '#terms';
import { type Claims } from './identity-provider.ts';

/** Somebody as a provider proves them. Null for role and teams: it says nothing about them. */
export type ProvenPerson = {
  /** `issuer subject`: a subject is unique at its issuer only. */
  readonly subject: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role | null;
  readonly teams: readonly string[] | null;
};

/** Why somebody who proved who they are is not let in. */
export type OidcRefusal =
  | 'no_email'
  | 'unverified_email'
  | 'unknown_domain'
  | 'no_role'
  | 'not_invited'
  | 'disabled'
  | 'other_person';

/** Reads a provider's claims by the operator's rules. */
export function provenPersonOf(claims: Claims, config: OidcConfig): ProvenPerson | { readonly refused: OidcRefusal } {
  const { sub, email, email_verified: verified, name } = claims;
  if (typeof email !== 'string' || !email.includes('@') || typeof sub !== 'string') return { refused: 'no_email' };
  // Whoever may write any address there could else take over the member of that address.
  if (config.requireVerifiedEmail && verified !== true) return { refused: 'unverified_email' };
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  if (config.allowedDomains !== null && !config.allowedDomains.includes(domain)) return { refused: 'unknown_domain' };
  const role = config.roles === null ? null : (strongestOf(claims, config.roles) ?? config.defaultRole);
  if (config.roles !== null && role === null) return { refused: 'no_role' };
  return {
    subject: `${config.issuer} ${sub}`,
    email,
    name: typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, 256) : email,
    role,
    teams: config.teams === null ? null : teamsOf(claims, config.teams),
  };
}

function strongestOf(claims: Claims, { claim, values }: NonNullable<OidcConfig['roles']>): Role | undefined {
  const given = valuesOf(claims, claim).map((value) => (Object.hasOwn(values, value) ? values[value] : undefined));
  return ROLES.find((role) => given.includes(role));
}

function teamsOf(claims: Claims, { claim, values }: NonNullable<OidcConfig['teams']>): readonly string[] {
  const given = valuesOf(claims, claim);
  const teams =
    values === null ? given : given.flatMap((value) => (Object.hasOwn(values, value) ? [values[value] ?? ''] : []));
  return [...new Set(teams.filter((team) => team !== ''))];
}

/** The texts of a claim, also of one within another: `realm_access.roles`. */
function valuesOf(claims: Claims, path: string): readonly string[] {
  const whole: unknown = Object.hasOwn(claims, path) ? claims[path] : path.split('.').reduce(memberOf, claims);
  return [whole].flat().filter((value) => typeof value === 'string');
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}
