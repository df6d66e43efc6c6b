import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Accounts } from '#accounts';
import { parseRequest } from './parse-request.ts';

const PAGE = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().min(1).optional(),
});

/** Who changed what about money: prices said and taken away, calls priced anew. */
export function addAuditRoutes(app: FastifyInstance, { accounts }: { readonly accounts: Accounts }): void {
  app.get('/v1/audit', async ({ query }) => {
    const { limit, cursor } = parseRequest(query, { schema: PAGE, hint: 'Parameters: limit, cursor.' });
    const { records, nextCursor } = await accounts.audit.list({ limit, cursor: cursor ?? null });
    return {
      object: 'list',
      data: records.map(({ at, ...record }) => ({ object: 'audit_record', ...record, at: new Date(at).toISOString() })),
      has_more: nextCursor !== null,
      next_cursor: nextCursor,
    };
  });
}
