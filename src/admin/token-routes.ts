import type { FastifyInstance } from 'fastify';
import { parseReadToken, toReadTokenInfo, type Accounts } from '#accounts';
import { actorOf } from './actor.ts';
import { pathParameter } from './report-route.ts';

/** Tokens that read analytics within a reach and do nothing else. */
export function addTokenRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  const { readTokens } = deps.accounts;
  app.get('/v1/tokens', async () => ({ object: 'list', data: (await readTokens.list()).map(toReadTokenInfo) }));
  app.post('/v1/tokens', async (request) => {
    const { secret, token } = await readTokens.create(parseReadToken(request.body), actorOf(request));
    return { ...toReadTokenInfo(token), token: secret };
  });
  app.delete('/v1/tokens/:id', async (request) =>
    toReadTokenInfo(await readTokens.revoke(pathParameter(request, 'id'), actorOf(request))),
  );
}
