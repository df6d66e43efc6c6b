import type { FastifyInstance } from 'fastify';
import {
  parseTagKeyRequest,
  parseTagNameRequest,
  parseTagNamesRequest,
  parseTagRequest,
  toSeenTagInfo,
  toTagInfo,
  toTagKeyInfo,
  type Accounts,
} from '#accounts';
import { parseSpendTagsQuery, spendTags } from '#analytics';
import { knownCaller } from './access.ts';
import { withinReachOf, type ReportDeps } from './report-route.ts';

export type TagRouteDeps = ReportDeps & { readonly accounts: Accounts };

/** What people say of keys and tags: ours for a dimension's key, LiteLLM's for single tags. */
export function addTagRoutes(app: FastifyInstance, deps: TagRouteDeps): void {
  const { tags } = deps.accounts;
  app.put<{ Params: { key: string } }>('/v1/tags/:key', async ({ params, body }) =>
    toTagKeyInfo(await tags.describeKey(parseTagKeyRequest(params.key, body))),
  );
  app.post('/tag/new', async ({ body }) => {
    const tag = await tags.create(parseTagRequest(body));
    return { message: `Tag ${tag.name} created successfully`, tag: toTagInfo(tag) };
  });
  app.post('/tag/update', async ({ body }) => {
    const tag = await tags.update(parseTagRequest(body));
    return { message: `Tag ${tag.name} updated successfully`, tag: toTagInfo(tag) };
  });
  app.post('/tag/delete', async ({ body }) => {
    const name = parseTagNameRequest(body);
    await tags.delete(name);
    return { message: `Tag ${name} deleted successfully` };
  });
  app.get('/tag/list', async (request) => {
    const within = withinReachOf(request, deps);
    const seen = await spendTags(within, parseSpendTagsQuery(request.query, deps.clock.now()), request.signal);
    const inUse = new Set(seen.map(({ individual_request_tag: name }) => name));
    // A tag may be the name of a customer: who sees a part of the calls sees their tags only.
    const all = knownCaller(request).reach.kind === 'everything';
    const registered = (await tags.list('tag')).filter(({ name }) => all || inUse.has(name));
    const known = new Set(registered.map(({ name }) => name));
    const others = seen.map(({ individual_request_tag: name }) => name).filter((name) => !known.has(name));
    return [...registered.map(toTagInfo), ...others.map(toSeenTagInfo)];
  });
  app.post('/tag/info', async ({ body }) => {
    const known = await tags.infoOf(parseTagNamesRequest(body));
    return Object.fromEntries(known.map((tag) => [tag.name, toTagInfo(tag)]));
  });
}
