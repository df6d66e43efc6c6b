import type { FastifyRequest } from 'fastify';
import { EVERYTHING, READ_TOKEN_PREFIX, reachOf, type Accounts, type MemberRecord, type Reach } from '#accounts';
import { bearerToken } from '#http';
import { ApportionError, type Role } from '#terms';

export const SESSION_COOKIE = 'apportion_session';

/** Who asks. The admin key is an owner that nobody can disable. */
export type Caller = {
  readonly role: Role | 'read_token';
  readonly reach: Reach;
  /** For the audit log. */
  readonly actor: string;
  /** A cookie is sent by browsers, whoever made them send it. */
  readonly by: 'token' | 'cookie';
  readonly member: MemberRecord | null;
};

const HINT = 'Send the admin key or a read token as "Authorization: Bearer …", or sign in to the dashboard.';

/** A token wins over a cookie. Throws where neither is anybody's. */
export async function callerOf(request: FastifyRequest, accounts: Accounts): Promise<Caller> {
  const token = bearerToken(request.headers);
  if (token !== undefined) return callerByToken(token, accounts);
  const cookie = request.cookies[SESSION_COOKIE];
  const session = cookie === undefined ? undefined : await accounts.findUiSession(cookie);
  if (session === undefined) {
    const message = cookie === undefined ? 'Nobody is signed in.' : 'The session has ended.';
    throw new ApportionError('missing_key', message, { hint: HINT });
  }
  const { member } = session;
  if (member === null) return { role: 'owner', reach: EVERYTHING, actor: 'dashboard', by: 'cookie', member };
  return { role: member.role, reach: reachOf(member), actor: member.id, by: 'cookie', member };
}

async function callerByToken(token: string, accounts: Accounts): Promise<Caller> {
  if (token.startsWith(READ_TOKEN_PREFIX)) {
    const read = await accounts.readTokens.use(token);
    if (read !== undefined) {
      return { role: 'read_token', reach: read.reach, actor: read.id, by: 'token', member: null };
    }
  }
  requireAdminKey(token, accounts);
  return { role: 'owner', reach: EVERYTHING, actor: 'admin_key', by: 'token', member: null };
}

/** Throws unless `token` is the admin key. */
export function requireAdminKey(token: string, accounts: Accounts): void {
  const identity = accounts.ring.identify(token);
  if (identity?.kind === 'admin') return;
  if (identity?.kind === 'key') {
    throw new ApportionError('not_allowed', 'A call key may make calls, not read reports or administer.', {
      hint: HINT,
    });
  }
  throw new ApportionError('invalid_key', 'This is neither the admin key nor a read token that works.', { hint: HINT });
}
