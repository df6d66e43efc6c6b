import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { IdentityProvider, PENDING_MS, provenPersonOf, type Accounts, type OidcRefusal } from '#accounts';
import type { OidcConfig } from '#config';
import type { Log } from '#observe';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { beginSession } from './session-routes.ts';

export type OidcRouteDeps = {
  readonly accounts: Accounts;
  readonly oidc: OidcConfig | null;
  readonly clock: Clock;
  readonly log: Log;
};

const PENDING_COOKIE = 'apportion_oidc';

/** What the sign-in page is told: why somebody was not let in, that the provider failed, or that it took too long. */
type Problem = OidcRefusal | 'provider_failed' | 'too_late';

/** Sign-in at an OpenID provider. Its answer comes by the browser, so nothing in it counts before it is proven. */
export function addOidcRoutes(app: FastifyInstance, deps: OidcRouteDeps): void {
  const { accounts, oidc, log, clock } = deps;
  const provider = oidc === null ? null : new IdentityProvider(oidc, { clock, random: randomBytes });
  const options = {
    path: '/ui/oidc',
    httpOnly: true,
    // The provider's page leads back here, which is a request from another site.
    sameSite: 'lax',
    secure: oidc?.publicUrl.startsWith('https:') ?? false,
  } as const;

  app.get<{ Querystring: Record<string, unknown> }>('/ui/oidc', async ({ query }, reply) => {
    if (provider === null) throw notConfigured();
    try {
      const { url, sealed } = await provider.begin(localPath(query['next']));
      void reply.setCookie(PENDING_COOKIE, sealed, { ...options, maxAge: PENDING_MS / 1000 });
      return await reply.redirect(url, 303);
    } catch (error) {
      log.error({ err: nameOf(error) }, 'the sign-in provider does not answer');
      return refuse(reply, 'provider_failed');
    }
  });

  app.get('/ui/oidc/callback', async (request, reply) => {
    if (provider === null || oidc === null) throw notConfigured();
    const pending = provider.opened(request.cookies[PENDING_COOKIE]);
    void reply.clearCookie(PENDING_COOKIE, options);
    if (pending === undefined) return refuse(reply, 'too_late');
    const query = request.url.split('?', 2)[1] ?? '';
    const claims = await provider.finish(query, pending).catch((error: unknown) => {
      log.warn({ err: nameOf(error) }, 'a sign-in failed: the answer of the provider does not fit');
      return null;
    });
    if (claims === null) return refuse(reply, 'provider_failed');
    const person = provenPersonOf(claims, oidc);
    const admission = 'refused' in person ? person : await accounts.members.admit(person, oidc);
    if ('refused' in admission) {
      log.warn({ refused: admission.refused }, 'somebody was not let in');
      return refuse(reply, admission.refused);
    }
    await beginSession(request, reply, { accounts, member: admission.member });
    return reply.redirect(pending.next, 303);
  });
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.redirect(`/ui/sign-in?problem=${problem}`, 303);
}

/** Another site's address would make this server lead people there. */
function localPath(next: unknown): string {
  return typeof next === 'string' && /^\/ui\/[\w./?&=%:,~+-]*$/.test(next) && !next.includes('//')
    ? next
    : '/ui/overview';
}

/** The error itself may hold what the provider answered, tokens included. */
function nameOf(error: unknown): object {
  if (!(error instanceof Error)) return { name: 'unknown' };
  return { name: error.name, message: error.message, code: 'code' in error ? error.code : undefined };
}

function notConfigured(): ApportionError {
  return new ApportionError('not_found', 'Nobody signs in elsewhere here.', {
    hint: 'State "oidc" in the configuration file: docs/people-and-roles.md says how.',
  });
}
