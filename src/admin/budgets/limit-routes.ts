import type { FastifyInstance, FastifyRequest } from 'fastify';
import { toLimitInfo, type Accounts, type LimitRecord } from '#accounts';
import { ApportionError } from '#terms';
import { pathParameter } from '../report-route.ts';
import { editorOf, seesRule } from './rule-reach.ts';

/** Rate limits: requests, tokens, dollars over a time, and calls at once. */
export function addLimitRoutes(app: FastifyInstance, { accounts }: { readonly accounts: Accounts }): void {
  const { limits } = accounts;
  app.get('/v1/limits', async (request) => ({
    object: 'list',
    data: (await limits.list()).filter((limit) => seesRule(request, limit, accounts)).map(toLimitInfo),
  }));
  app.get('/v1/limits/:id', async (request) => toLimitInfo(await seenLimit(request, accounts)));
  app.post('/v1/limits', async (request) =>
    toLimitInfo(await limits.create(request.body, editorOf(request, accounts))),
  );
  app.patch('/v1/limits/:id', async (request) => {
    const { id } = await seenLimit(request, accounts);
    return toLimitInfo(await limits.update(id, request.body, editorOf(request, accounts)));
  });
  app.delete('/v1/limits/:id', async (request) => {
    const { id } = await seenLimit(request, accounts);
    return toLimitInfo(await limits.delete(id, editorOf(request, accounts)));
  });
}

/** What somebody may not see is not there for them. */
async function seenLimit(request: FastifyRequest, accounts: Accounts): Promise<LimitRecord> {
  const id = pathParameter(request, 'id');
  const limit = await accounts.limits.infoOf(id);
  if (seesRule(request, limit, accounts)) return limit;
  throw new ApportionError('not_found', `There is no limit ${id}.`, { hint: 'GET /v1/limits lists those you see.' });
}
