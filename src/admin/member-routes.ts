import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseMemberNew, parseMemberUpdate, toMemberInfo, type Accounts, type MemberLink } from '#accounts';
import { ApportionError, type Role } from '#terms';
import { knownCaller, rightsOf } from './access.ts';
import { actorOf } from './actor.ts';
import { pathParameter } from './report-route.ts';

/** People and service accounts, and who one is oneself. Only an owner makes or changes owners. */
export function addMemberRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  const { members } = deps.accounts;
  const named = async (request: FastifyRequest): Promise<string> => {
    const { id, role } = await members.infoOf(pathParameter(request, 'id'));
    refuseOwners(request, role);
    return id;
  };
  app.get('/v1/me', (request) => meOf(request));
  app.get('/v1/members', async () => ({ object: 'list', data: (await members.list()).map(toMemberInfo) }));
  app.get('/v1/members/:id', async (request) => toMemberInfo(await members.infoOf(pathParameter(request, 'id'))));
  app.post('/v1/members', async (request) => {
    const asked = parseMemberNew(request.body);
    refuseOwners(request, asked.role);
    const member = await members.create(asked, actorOf(request));
    const link = member.kind === 'person' ? await members.makeLink(member.id, actorOf(request)) : null;
    return { ...toMemberInfo(member), link: link === null ? null : toLink(link) };
  });
  app.patch('/v1/members/:id', async (request) => {
    const asked = parseMemberUpdate(request.body);
    const id = await named(request);
    if (asked.role !== undefined) refuseOwners(request, asked.role);
    return toMemberInfo(await members.update(id, asked, actorOf(request)));
  });
  app.delete('/v1/members/:id', async (request) =>
    toMemberInfo(await members.delete(await named(request), actorOf(request))),
  );
  app.post('/v1/members/:id/link', async (request) =>
    toLink(await members.makeLink(await named(request), actorOf(request))),
  );
  app.delete('/v1/members/:id/sessions', async (request) => {
    const id = await named(request);
    await deps.accounts.endUiSessionsOf(id, actorOf(request));
    return toMemberInfo(await members.infoOf(id));
  });
}

/** InfraPrism's account, for what is one's own server. */
function meOf(request: FastifyRequest): object {
  const { role, reach, member, actor } = knownCaller(request);
  const only = reach.kind === 'only' ? reach : { teams: null, entities: null };
  return {
    id: member?.id ?? (role === 'read_token' ? actor : 'admin'),
    email: member?.email ?? null,
    name: member?.name ?? (role === 'read_token' ? 'Read token' : 'Administrator'),
    company: null,
    plan: 'self-hosted',
    role,
    created_at: member === null ? null : new Date(member.createdAt).toISOString(),
    /** Null: all of them. */
    teams: only.teams,
    entities: only.entities?.map(({ type, id }) => ({ entity_type: type, entity_id: id })) ?? null,
    rights: rightsOf(role),
  };
}

function refuseOwners(request: FastifyRequest, role: Role): void {
  if (role !== 'owner' || knownCaller(request).role === 'owner') return;
  throw new ApportionError('not_allowed', 'Only an owner makes, changes or removes owners.', {
    hint: 'The admin key is an owner too.',
  });
}

/** The dashboard's page that takes it. Behind the #, so that no server and no proxy writes it into a log. */
function toLink({ token, expiresAt }: MemberLink): object {
  return { path: `/ui/welcome#${token}`, token, expires: new Date(expiresAt).toISOString() };
}
