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
import type { ReportDeps } from './report-route.ts';

const ADMIN = { config: { access: 'admin' } } as const;

export type TagRouteDeps = ReportDeps & { readonly accounts: Accounts };

/** What people say of keys and tags: ours for a dimension's key, LiteLLM's for single tags. */
export function addTagRoutes(app: FastifyInstance, deps: TagRouteDeps): void {
  const { tags } = deps.accounts;
  app.put<{ Params: { key: string } }>('/v1/tags/:key', ADMIN, async ({ params, body }) =>
    toTagKeyInfo(await tags.describeKey(parseTagKeyRequest(params.key, body))),
  );
  app.post('/tag/new', ADMIN, async ({ body }) => {
    const tag = await tags.create(parseTagRequest(body));
    return { message: `Tag ${tag.name} created successfully`, tag: toTagInfo(tag) };
  });
  app.post('/tag/update', ADMIN, async ({ body }) => {
    const tag = await tags.update(parseTagRequest(body));
    return { message: `Tag ${tag.name} updated successfully`, tag: toTagInfo(tag) };
  });
  app.post('/tag/delete', ADMIN, async ({ body }) => {
    const name = parseTagNameRequest(body);
    await tags.delete(name);
    return { message: `Tag ${name} deleted successfully` };
  });
  app.get('/tag/list', ADMIN, async ({ query, signal }) => {
    const seen = await spendTags(deps, parseSpendTagsQuery(query, deps.clock.now()), signal);
    const registered = await tags.list('tag');
    const known = new Set(registered.map(({ name }) => name));
    const others = seen.map(({ individual_request_tag: name }) => name).filter((name) => !known.has(name));
    return [...registered.map(toTagInfo), ...others.map(toSeenTagInfo)];
  });
  app.post('/tag/info', ADMIN, async ({ body }) => {
    const known = await tags.infoOf(parseTagNamesRequest(body));
    return Object.fromEntries(known.map((tag) => [tag.name, toTagInfo(tag)]));
  });
}
