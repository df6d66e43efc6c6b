import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  parseKeyGenerate,
  parseKeyRegenerate,
  parseKeyUpdate,
  toKeyGenerateAnswer,
  toKeyInfoAnswer,
  toKeyState,
  toKeyUpdateAnswer,
  toUsedKey,
  unknownKey,
  type FiguresOf,
  type KeyRecord,
} from '#accounts';
import { lastUses } from '#analytics';
import type { Log } from '#observe';
import type { TimestampMs } from '#std';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';
import { seesTeam } from './seen-teams.ts';
import { freshFigures, loadFigures, type FigureDeps } from './subjects/figures.ts';

type KeyRouteDeps = FigureDeps & { readonly log: Log };

/** LiteLLM's key management. */
export function addKeyRoutes(app: FastifyInstance, deps: KeyRouteDeps): void {
  const { accounts } = deps;
  const figures = (): Promise<FiguresOf> => loadFigures(deps, ['key']);
  app.post('/key/generate', async (request) =>
    toKeyGenerateAnswer(
      await accounts.generateKey(parseKeyGenerate(request.body), actorOf(request)),
      await freshFigures(deps, 'key'),
    ),
  );
  app.post('/key/update', async (request) =>
    toKeyUpdateAnswer(await accounts.updateKey(parseKeyUpdate(request.body), actorOf(request)), await figures()),
  );
  app.post('/key/regenerate', async (request) =>
    toKeyGenerateAnswer(
      await accounts.regenerateKey(parseKeyRegenerate(request.body), actorOf(request)),
      await figures(),
    ),
  );
  app.post<{ Params: { key: string } }>('/key/:key/regenerate', async (request) => {
    const asked = parseKeyRegenerate(withKey(request.body, request.params.key));
    return toKeyGenerateAnswer(await accounts.regenerateKey(asked, actorOf(request)), await figures());
  });
  app.get('/key/info', async (request) => {
    const key = await accounts.infoOf(parse(INFO, request.query).key);
    if (!seesTeam(request, key.team)) throw unknownKey();
    const lastUse = await lastUsesIfKnown(deps, [key]);
    return toKeyInfoAnswer(key, { lastUsedAt: lastUse(key.id), figures: await figures() });
  });
  app.get('/key/list', async (request) => {
    const keys = await accounts.listKeys({ include: 'live' });
    const seen = keys.filter(({ team }) => seesTeam(request, team));
    return keyPage(deps, seen, parse(LIST, request.query));
  });
  app.post('/key/block', async (request) =>
    toKeyState(await accounts.blockKey(parse(ONE_KEY, request.body).key, actorOf(request)), await figures()),
  );
  app.post('/key/unblock', async (request) =>
    toKeyState(await accounts.unblockKey(parse(ONE_KEY, request.body).key, actorOf(request)), await figures()),
  );
  app.post('/key/delete', async (request) => {
    const { keys = [], key_aliases: aliases = [] } = parse(MANY_KEYS, request.body);
    const named = [...keys, ...aliases];
    // All or nothing: an unknown name is found before the first key is gone.
    for (const name of named) await accounts.infoOf(name);
    for (const name of named) await accounts.deleteKey(name, actorOf(request));
    return { deleted_keys: named };
  });
}

const NAME = z.string().min(1);
const INFO = z.strictObject({ key: NAME });
const ONE_KEY = z.strictObject({ key: NAME });
const MANY_KEYS = z
  .strictObject({ keys: z.array(NAME).optional(), key_aliases: z.array(NAME).optional() })
  .refine(({ keys = [], key_aliases: aliases = [] }) => keys.length + aliases.length > 0, {
    path: ['keys'],
    message: 'names no key',
  });
const LIST = z.strictObject({
  page: z.coerce.number().int().min(1).default(1),
  size: z.coerce.number().int().min(1).max(1000).default(100),
  return_full_object: z.enum(['true', 'false']).default('false'),
});

async function keyPage(
  deps: KeyRouteDeps,
  keys: readonly KeyRecord[],
  { page, size, return_full_object }: z.infer<typeof LIST>,
): Promise<object> {
  const shown = keys.slice((page - 1) * size, page * size);
  return {
    keys: return_full_object === 'true' ? await usedKeys(deps, shown) : shown.map(({ hash }) => hash),
    total_count: keys.length,
    current_page: page,
    total_pages: Math.ceil(keys.length / size),
  };
}

async function usedKeys(deps: KeyRouteDeps, keys: readonly KeyRecord[]): Promise<readonly object[]> {
  const lastUse = await lastUsesIfKnown(deps, keys);
  const figures = await loadFigures(deps, ['key']);
  return keys.map((key) => toUsedKey(key, { lastUsedAt: lastUse(key.id), figures }));
}

/** Keys are administered also while the store does not answer; then nothing is said of when they were used. */
async function lastUsesIfKnown(
  { store, log }: KeyRouteDeps,
  keys: readonly KeyRecord[],
): Promise<(id: string) => TimestampMs | null | undefined> {
  const ids = keys.map(({ id }) => id);
  try {
    const uses = await lastUses({ store }, ids, AbortSignal.timeout(LAST_USES_MS));
    return (id) => uses.get(id) ?? null;
  } catch (error) {
    log.warn({ err: error }, 'when keys were last used is not known: the store does not answer');
    return () => undefined;
  }
}

const LAST_USES_MS = 2_000;

/** LiteLLM names the key in the address too; a body that is no object stays as it is, to be refused for that. */
function withKey(body: unknown, key: string): unknown {
  if (body === undefined || body === null) return { key };
  return typeof body === 'object' && !Array.isArray(body) ? { ...body, key } : body;
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  return parseRequest(value, { schema, hint: 'Name a key by its token, its hash, its id or its alias.' });
}
