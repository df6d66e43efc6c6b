import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CookieSerializeOptions } from '@fastify/cookie';
import { z } from 'zod';
import { UI_SESSION_MS, type Accounts, type MemberRecord } from '#accounts';
import type { OidcConfig } from '#config';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { knownCaller, requireSameOrigin, rightsOf } from './access.ts';
import { requireAdminKey, SESSION_COOKIE } from './caller.ts';
import { parseRequest } from './parse-request.ts';

const BY_KEY = z.strictObject({ key: z.string().trim().min(1) });
const BY_PASSWORD = z.strictObject({ email: z.string().trim().min(1).max(254), password: z.string().min(1).max(256) });
const SIGN_IN = z.union([BY_KEY, BY_PASSWORD]);
const INVITATION = z.strictObject({ token: z.string().min(1).max(200), password: z.string() });

export type SessionRouteDeps = { readonly accounts: Accounts; readonly oidc: OidcConfig | null };

/** Sign-in of the dashboard: a key or a password is shown once and exchanged for a cookie that no script can read. */
export function addSessionRoutes(app: FastifyInstance, deps: SessionRouteDeps): void {
  const { accounts } = deps;
  app.post('/ui/session', async (request, reply) => {
    refuseOtherSites(request);
    const given = parseRequest(request.body, {
      schema: SIGN_IN,
      hint: 'Send {"email": …, "password": …} or {"key": "sk-ap-admin-…"}.',
    });
    if ('key' in given) requireAdminKey(given.key, accounts);
    const member = 'key' in given ? null : await memberOf(request, accounts, given);
    return begin(request, reply, { accounts, member });
  });

  app.post('/ui/invitation', async (request, reply) => {
    refuseOtherSites(request);
    const link = parseRequest(request.body, { schema: INVITATION, hint: 'Send {"token": …, "password": …}.' });
    return begin(request, reply, { accounts, member: await accounts.members.takeLink(link) });
  });

  app.get('/ui/session', (request) => sessionState(request, deps));

  app.delete('/ui/session', async (request, reply) => {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) {
      requireSameOrigin(request);
      await accounts.endUiSession(token);
    }
    void reply.clearCookie(SESSION_COOKIE, cookieOptions(request));
    return NOBODY;
  });

  app.delete('/v1/me/sessions', async (request, reply) => {
    const { member, actor } = knownCaller(request);
    await accounts.endUiSessionsOf(member?.id ?? null, actor);
    void reply.clearCookie(SESSION_COOKIE, cookieOptions(request));
    return NOBODY;
  });
}

const NOBODY = { authenticated: false, expires_at: null, user: null } as const;

/** Else another site could sign a browser in, to watch what is done there. */
function refuseOtherSites(request: FastifyRequest): void {
  if (request.headers.origin !== undefined) requireSameOrigin(request);
}

async function memberOf(
  request: FastifyRequest,
  accounts: Accounts,
  given: z.infer<typeof BY_PASSWORD>,
): Promise<MemberRecord> {
  const { 'x-forwarded-for': forwarded } = request.headers;
  // The gateway puts the address of its own client there and lets nobody else's through.
  const address = typeof forwarded === 'string' ? forwarded : request.ip;
  const member = await accounts.members.signIn({ ...given, address });
  if (member !== undefined) return member;
  throw new ApportionError('invalid_key', 'The e-mail and the password do not open this.', {
    hint: 'After several attempts nothing does for a quarter of an hour. An administrator can make you a new link.',
  });
}

type Beginning = { readonly accounts: Accounts; readonly member: MemberRecord | null };

async function begin(request: FastifyRequest, reply: FastifyReply, { accounts, member }: Beginning): Promise<object> {
  const expiresAt = await beginSession(request, reply, { accounts, member });
  return { authenticated: true, expires_at: new Date(expiresAt).toISOString(), user: userOf(member) };
}

/** Another session in the place of the one this browser had, with a cookie that nobody knew before. */
export async function beginSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { accounts, member }: Beginning,
): Promise<TimestampMs> {
  const before = request.cookies[SESSION_COOKIE];
  if (before !== undefined) await accounts.endUiSession(before);
  const { token, expiresAt } = await accounts.createUiSession(member);
  void reply.setCookie(SESSION_COOKIE, token, { ...cookieOptions(request), maxAge: UI_SESSION_MS / 1000 });
  return expiresAt;
}

/** Open to everybody, so that a browser without a session is told so instead of being shown an error. */
async function sessionState({ cookies }: FastifyRequest, { accounts, oidc }: SessionRouteDeps): Promise<object> {
  const token = cookies[SESSION_COOKIE];
  const session = token === undefined ? undefined : await accounts.findUiSession(token);
  if (session === undefined) {
    const elsewhere = oidc === null ? null : { name: oidc.name };
    return { ...NOBODY, passwords: await accounts.members.anyPassword(), oidc: elsewhere };
  }
  return {
    authenticated: true,
    expires_at: new Date(session.expiresAt).toISOString(),
    user: userOf(session.member),
  };
}

/** Who is signed in, and what the dashboard may show them; the routes themselves hold it. */
function userOf(member: MemberRecord | null): object {
  const { id, name, email, role, teams } = member ?? ADMINISTRATOR;
  return { id, name, email, role, teams, rights: rightsOf(role) };
}

const ADMINISTRATOR = { id: 'admin', name: 'Administrator', email: null, role: 'owner', teams: [] } as const;

function cookieOptions(request: FastifyRequest): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: request.headers['x-forwarded-proto'] === 'https' };
}
