import type { FastifyInstance } from 'fastify';
import type { Accounts } from '#accounts';
import {
  parseTagHygieneQuery,
  parseTagKeyQuery,
  parseTagKeysQuery,
  tagHygiene,
  tagKey,
  tagKeys,
  type TagDeps,
} from '#analytics';
import { addReport, pathParameter, withinReachOf, type ReportDeps } from './report-route.ts';

/** What traffic says of tags, with what people say of them beside it. */
export function addTagReportRoutes(app: FastifyInstance, deps: ReportDeps & { readonly accounts: Accounts }): void {
  const { accounts } = deps;
  const tagDeps: ReportDeps & TagDeps = {
    store: deps.store,
    clock: deps.clock,
    notes: async () => ({
      keys: await accounts.tagDescriptions('key'),
      tags: await accounts.tagDescriptions('tag'),
    }),
  };
  addReport(app, tagDeps, { url: '/v1/tags', parse: parseTagKeysQuery, run: tagKeys });
  addReport(app, tagDeps, { url: '/v1/tags/hygiene', parse: parseTagHygieneQuery, run: tagHygiene });
  app.get('/v1/tags/:key', (request) =>
    tagKey(
      withinReachOf(request, tagDeps),
      parseTagKeyQuery(pathParameter(request, 'key'), request.query, deps.clock.now()),
      request.signal,
    ),
  );
}
