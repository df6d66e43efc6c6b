import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  parseKeyGenerate,
  parseKeyUpdate,
  toKeyGenerateAnswer,
  toKeyInfoAnswer,
  toKeyState,
  toKeyUpdateAnswer,
  type Accounts,
  type KeyRecord,
} from '#accounts';
import { parseRequest } from './parse-request.ts';

const ADMIN = { config: { access: 'admin' } } as const;

/** LiteLLM's key management: the parts that a gateway without budgets can keep its word on. */
export function addKeyRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  const { accounts } = deps;
  app.post('/key/generate', ADMIN, async ({ body }) =>
    toKeyGenerateAnswer(await accounts.generateKey(parseKeyGenerate(body))),
  );
  app.post('/key/update', ADMIN, async ({ body }) => toKeyUpdateAnswer(await accounts.updateKey(parseKeyUpdate(body))));
  app.post('/key/regenerate', ADMIN, async ({ body }) =>
    toKeyGenerateAnswer(await accounts.regenerateKey(parseKeyUpdate(body))),
  );
  app.post<{ Params: { key: string } }>('/key/:key/regenerate', ADMIN, async ({ params, body }) =>
    toKeyGenerateAnswer(await accounts.regenerateKey(parseKeyUpdate(withKey(body, params.key)))),
  );
  app.get('/key/info', ADMIN, async ({ query }) => toKeyInfoAnswer(await accounts.infoOf(parse(INFO, query).key)));
  app.get('/key/list', ADMIN, async ({ query }) =>
    keyPage(await accounts.listKeys({ include: 'live' }), parse(LIST, query)),
  );
  app.post('/key/block', ADMIN, async ({ body }) => toKeyState(await accounts.blockKey(parse(ONE_KEY, body).key)));
  app.post('/key/unblock', ADMIN, async ({ body }) => toKeyState(await accounts.unblockKey(parse(ONE_KEY, body).key)));
  app.post('/key/delete', ADMIN, async ({ body }) => {
    const { keys = [], key_aliases: aliases = [] } = parse(MANY_KEYS, body);
    const named = [...keys, ...aliases];
    // All or nothing: an unknown name is found before the first key is gone.
    for (const name of named) await accounts.infoOf(name);
    for (const name of named) await accounts.deleteKey(name);
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

function keyPage(keys: readonly KeyRecord[], { page, size, return_full_object }: z.infer<typeof LIST>): object {
  const shown = keys.slice((page - 1) * size, page * size);
  return {
    keys: return_full_object === 'true' ? shown.map(toKeyState) : shown.map(({ hash }) => hash),
    total_count: keys.length,
    current_page: page,
    total_pages: Math.ceil(keys.length / size),
  };
}

/** LiteLLM names the key in the address too; a body that is no object stays as it is, to be refused for that. */
function withKey(body: unknown, key: string): unknown {
  if (body === undefined || body === null) return { key };
  return typeof body === 'object' && !Array.isArray(body) ? { ...body, key } : body;
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  return parseRequest(value, { schema, hint: 'Name a key by its token, its hash, its id or its alias.' });
}
