import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { read, send } from './client.ts';

export const ROLES = ['owner', 'admin', 'finance', 'team_lead', 'viewer'] as const;

export type Role = (typeof ROLES)[number];

const memberSchema = z.object({
  id: z.string(),
  kind: z.enum(['person', 'service']),
  email: z.nullable(z.string()),
  name: z.string(),
  role: z.enum(ROLES),
  teams: z.array(z.string()),
  disabled: z.boolean(),
  invited: z.boolean(),
  last_sign_in_at: z.nullable(z.string()),
});

export type Member = z.infer<typeof memberSchema>;

export const membersQuery = queryOptions({
  queryKey: ['members'],
  queryFn: async ({ signal }) => (await read('/v1/members', z.object({ data: z.array(memberSchema) }), signal)).data,
});

const linkSchema = z.object({ path: z.string(), expires: z.string() });

export type MemberLink = z.infer<typeof linkSchema>;

export type Invitation = { readonly email: string; readonly role: Role; readonly teams: readonly string[] };

export async function invite(invitation: Invitation): Promise<MemberLink> {
  const answer = await send('/v1/members', { method: 'POST', body: invitation });
  return z.object({ link: linkSchema }).parse(await answer.json()).link;
}

export async function makeLink(id: string): Promise<MemberLink> {
  const answer = await send(`/v1/members/${encodeURIComponent(id)}/link`, { method: 'POST', body: {} });
  return linkSchema.parse(await answer.json());
}

export type MemberChange = { readonly role?: Role; readonly teams?: readonly string[]; readonly disabled?: boolean };

export async function changeMember(id: string, change: MemberChange): Promise<void> {
  await send(`/v1/members/${encodeURIComponent(id)}`, { method: 'PATCH', body: change });
}

const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  shown: z.string(),
  everything: z.boolean(),
  teams: z.nullable(z.array(z.string())),
  entities: z.nullable(z.array(z.object({ entity_type: z.string(), entity_id: z.string() }))),
  expires: z.nullable(z.string()),
  revoked_at: z.nullable(z.string()),
  last_used_at: z.nullable(z.string()),
});

export type ReadToken = z.infer<typeof tokenSchema>;

export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: async ({ signal }) => (await read('/v1/tokens', z.object({ data: z.array(tokenSchema) }), signal)).data,
});

/** @returns the secret, this once */
export async function makeToken(name: string, teams: readonly string[]): Promise<string> {
  const reach = teams.length === 0 ? { everything: true } : { teams };
  const answer = await send('/v1/tokens', { method: 'POST', body: { name, ...reach } });
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

export async function revokeToken(id: string): Promise<void> {
  await send(`/v1/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
