import type { FastifyInstance } from 'fastify';
import {
  parseTagKeyRequest,
  parseTagNameRequest,
  parseTagNamesRequest,
  parseTagRequest,
  toSeenTagInfo,
  toTagInfo,
  toTagKeyInfo,
} from '#accounts';
import { parseSpendTagsQuery, spendTags } from '#analytics';
import { knownCaller } from './access.ts';
import { actorOf } from './actor.ts';
import { withinReachOf } from './report-route.ts';
import { loadFigures, type FigureDeps } from './subjects/figures.ts';

export type TagRouteDeps = FigureDeps;

/** What people say of keys and tags: ours for a dimension's key, LiteLLM's for single tags. */
export function addTagRoutes(app: FastifyInstance, deps: TagRouteDeps): void {
  const { tags, subjects } = deps.accounts;
  app.put<{ Params: { key: string } }>('/v1/tags/:key', async (request) =>
    toTagKeyInfo(await tags.describeKey(parseTagKeyRequest(request.params.key, request.body), actorOf(request))),
  );
  app.post('/tag/new', async (request) => {
    const asked = parseTagRequest(request.body);
    const tag = await tags.create(asked, actorOf(request));
    await subjects.stateTag(tag.name, asked.spending, actorOf(request));
    return { message: `Tag ${tag.name} created successfully`, tag: toTagInfo(tag, await loadFigures(deps, ['tag'])) };
  });
  app.post('/tag/update', async (request) => {
    const asked = parseTagRequest(request.body);
    const tag = await tags.update(asked, actorOf(request));
    await subjects.stateTag(tag.name, asked.spending, actorOf(request));
    return { message: `Tag ${tag.name} updated successfully`, tag: toTagInfo(tag, await loadFigures(deps, ['tag'])) };
  });
  app.post('/tag/delete', async (request) => {
    const name = parseTagNameRequest(request.body);
    await tags.delete(name, actorOf(request));
    await subjects.dropTag(name, actorOf(request));
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
    const figures = await loadFigures({ ...deps, store: within.store }, ['tag']);
    return [...registered.map((tag) => toTagInfo(tag, figures)), ...others.map(toSeenTagInfo)];
  });
  app.post('/tag/info', async ({ body }) => {
    const known = await tags.infoOf(parseTagNamesRequest(body));
    const figures = await loadFigures(deps, ['tag']);
    return Object.fromEntries(known.map((tag) => [tag.name, toTagInfo(tag, figures)]));
  });
}
