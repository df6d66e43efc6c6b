import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CookieSerializeOptions } from '@fastify/cookie';
import { z } from 'zod';
import { UI_SESSION_MS, type Accounts } from '#accounts';
import { ApportionError } from '#terms';
import { requireAdminKey, requireSameOrigin, SESSION_COOKIE } from './access.ts';

const SIGN_IN = z.strictObject({ key: z.string().min(1) });

/** Sign-in of the dashboard. The key is shown once and exchanged for a cookie that no script can read. */
export function addSessionRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  const { accounts } = deps;
  app.post('/ui/session', { config: { access: 'public' } }, async (request, reply) => {
    // Else another site could sign a browser in, to watch what is done there.
    if (request.headers.origin !== undefined) requireSameOrigin(request);
    requireAdminKey(keyOf(request.body), accounts);
    const { token, expiresAt } = await accounts.createUiSession();
    void reply.setCookie(SESSION_COOKIE, token, { ...cookieOptions(request), maxAge: UI_SESSION_MS / 1000 });
    return { authenticated: true, expires_at: new Date(expiresAt).toISOString() };
  });

  app.get('/ui/session', { config: { access: 'public' } }, (request) => sessionState(request, accounts));

  app.delete('/ui/session', { config: { access: 'public' } }, async (request, reply) => {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) {
      requireSameOrigin(request);
      await accounts.endUiSession(token);
    }
    void reply.clearCookie(SESSION_COOKIE, cookieOptions(request));
    return { authenticated: false, expires_at: null };
  });
}

/** Open to everybody, so that a browser without a session is told so instead of being shown an error. */
async function sessionState({ cookies }: FastifyRequest, accounts: Accounts): Promise<object> {
  const token = cookies[SESSION_COOKIE];
  const session = token === undefined ? undefined : await accounts.findUiSession(token);
  return session === undefined
    ? { authenticated: false, expires_at: null }
    : { authenticated: true, expires_at: new Date(session.expiresAt).toISOString() };
}

function cookieOptions(request: FastifyRequest): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: request.headers['x-forwarded-proto'] === 'https' };
}

function keyOf(body: unknown): string {
  const parsed = SIGN_IN.safeParse(body);
  if (parsed.success) return parsed.data.key.trim();
  throw new ApportionError('invalid_field', 'key: the admin key is missing.', {
    param: 'key',
    hint: 'Send {"key": "sk-ap-admin-…"}.',
  });
}
