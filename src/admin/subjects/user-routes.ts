import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  ownerRecord,
  parseKeyGenerate,
  parseUserNew,
  parseUserUpdate,
  toKeyState,
  toUserInfo,
  type FiguresOf,
  type KeyRecord,
  type SubjectRecord,
} from '#accounts';
import { actorOf } from '../actor.ts';
import { parseRequest } from '../parse-request.ts';
import { freshFigures, loadFigures, type FigureDeps } from './figures.ts';

/** LiteLLM's internal users: those who own keys (`user_id` of a key), with budgets over all keys of theirs. Who signs in is a member. */
export function addUserRoutes(app: FastifyInstance, deps: FigureDeps): void {
  const { accounts, clock } = deps;
  const { subjects } = accounts;
  app.post('/user/new', async (request) => {
    const madeId = `user_${randomBytes(10).toString('hex')}`;
    const asked = parseUserNew(request.body, { now: clock.now(), madeId });
    // Read before the user is made, so that a key that cannot be leaves nothing behind.
    const keyAsked = asked.key === null ? null : parseKeyGenerate(asked.key);
    const user = await subjects.create('user', asked, actorOf(request));
    const made = keyAsked === null ? null : await accounts.generateKey(keyAsked, actorOf(request));
    const figures = await freshFigures(deps, 'user');
    return { ...toUserInfo(user, figures(user)), key: made?.token ?? null, token: made?.key.hash ?? null };
  });
  app.post('/user/update', async (request) => {
    const user = await subjects.update('user', parseUserUpdate(request.body, clock.now()), actorOf(request));
    const figures = await loadFigures(deps, ['user']);
    return { user_id: user.id, data: toUserInfo(user, figures(user)) };
  });
  app.get('/user/info', async ({ query }) => {
    const { user_id: id } = parseRequest(query, { schema: ONE, hint: 'Parameter: user_id.' });
    const keys = (await keysByOwner(deps)).get(id) ?? [];
    const user = keys.length > 0 ? await known(deps, id) : await subjects.infoOf('user', id);
    const figures = await loadFigures(deps, ['user', 'key']);
    return {
      user_id: id,
      user_info: toUserInfo(user, figures(user)),
      keys: keys.map((key) => toKeyState(key, figures)),
      teams: [],
    };
  });
  app.get('/user/list', async ({ query }) => {
    const { page, page_size: size } = parseRequest(query, { schema: PAGE, hint: 'Parameters: page, page_size.' });
    const users = await allUsers(deps);
    return userPage(users.slice((page - 1) * size, page * size), {
      figures: await loadFigures(deps, ['user']),
      total: users.length,
      page,
      size,
    });
  });
  app.post('/user/delete', async (request) => {
    const { user_ids: ids } = parseRequest(request.body ?? {}, { schema: MANY, hint: 'Send {"user_ids": ["ann"]}.' });
    const owned = await keysByOwner(deps);
    await subjects.delete('user', ids, actorOf(request));
    const keys = ids.flatMap((id) => owned.get(id) ?? []);
    for (const { id } of keys) await accounts.deleteKey(id, actorOf(request));
    return { deleted_users: ids, deleted_keys: keys.map(({ hash }) => hash) };
  });
}

const NAME = z.string().min(1);
const ONE = z.strictObject({ user_id: NAME });
const MANY = z.strictObject({ user_ids: z.array(NAME).min(1).max(1000) });
const PAGE = z.strictObject({
  page: z.coerce.number().int().min(1).default(1),
  page_size: z.coerce.number().int().min(1).max(1000).default(25),
});

async function keysByOwner({ accounts }: FigureDeps): Promise<ReadonlyMap<string, readonly KeyRecord[]>> {
  return Map.groupBy(await accounts.listKeys({ include: 'live' }), ({ owner }) => owner);
}

/** Users with a record, then owners of keys that have none. */
async function allUsers(deps: FigureDeps): Promise<readonly SubjectRecord[]> {
  const users = await deps.accounts.subjects.list('user');
  const recorded = new Set(users.map(({ id }) => id));
  const owners = Array.from(await keysByOwner(deps)).filter(([owner]) => owner !== '' && !recorded.has(owner));
  return [
    ...users,
    ...owners.flatMap(([owner, [first]]) => (first === undefined ? [] : [ownerRecord(owner, first.createdAt)])),
  ];
}

async function known(deps: FigureDeps, id: string): Promise<SubjectRecord> {
  const user = (await allUsers(deps)).find((one) => one.id === id);
  return user ?? deps.accounts.subjects.infoOf('user', id);
}

type Page = { readonly figures: FiguresOf; readonly total: number; readonly page: number; readonly size: number };

function userPage(users: readonly SubjectRecord[], { figures, total, page, size }: Page): object {
  return {
    users: users.map((user) => toUserInfo(user, figures(user))),
    total,
    page,
    page_size: size,
    total_pages: Math.ceil(total / size),
  };
}
