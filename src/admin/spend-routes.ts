import type { FastifyInstance } from 'fastify';
import { hashToken, type Accounts } from '#accounts';
import {
  allTagNames,
  globalSpendTags,
  parseGlobalSpendTagsQuery,
  parseSpendLogsQuery,
  parseSpendPageQuery,
  parseSpendTagsQuery,
  parseTagActivityQuery,
  spendLogs,
  spendPage,
  spendTags,
  tagActivity,
  type SpendDeps,
} from '#analytics';
import { addReport, withinReachOf, type ReportDeps } from './report-route.ts';

/** Spend as LiteLLM's clients read it. */
export function addSpendRoutes(app: FastifyInstance, deps: ReportDeps & { readonly accounts: Accounts }): void {
  const { clock } = deps;
  const spendDeps: ReportDeps & SpendDeps = { store: deps.store, clock, keys: () => keyNames(deps.accounts) };
  app.get('/spend/logs', async (request, reply) => {
    const query = parseSpendLogsQuery(withHashedKey(request.query), clock.now());
    const { rows, truncated } = await spendLogs(withinReachOf(request, spendDeps), query, request.signal);
    // An array has no room to say so.
    void reply.header('x-apportion-truncated', String(truncated));
    return rows;
  });
  addReport(app, spendDeps, {
    url: '/spend/logs/v2',
    parse: (query, now) => parseSpendPageQuery(withHashedKey(query), now),
    run: spendPage,
  });
  addReport(app, spendDeps, { url: '/spend/tags', parse: parseSpendTagsQuery, run: spendTags });
  addReport(app, spendDeps, { url: '/global/spend/tags', parse: parseGlobalSpendTagsQuery, run: globalSpendTags });
  addReport(app, spendDeps, {
    url: '/tag/daily/activity',
    parse: (query, now) => parseTagActivityQuery(withHashedKey(query), now),
    run: tagActivity,
  });
  addReport(app, spendDeps, {
    url: '/global/spend/all_tag_names',
    parse: parseSpendTagsQuery,
    run: async (reportDeps, query, signal) => ({ tag_names: await allTagNames(reportDeps, query, signal) }),
  });
}

async function keyNames(accounts: Accounts): ReturnType<SpendDeps['keys']> {
  const keys = await accounts.listKeys({ include: 'all' });
  return new Map(keys.map(({ id, hash, name }) => [id, { hash, name }]));
}

/** A key may be named by its token; from here on only the hash is known. */
function withHashedKey(query: unknown): unknown {
  if (typeof query !== 'object' || query === null || !('api_key' in query)) return query;
  const { api_key: named } = query;
  return typeof named === 'string' && named.startsWith('sk-') ? { ...query, api_key: hashToken(named) } : query;
}
