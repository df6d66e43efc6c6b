import { type Selectable } from 'kysely';
import { z } from 'zod';
import { type Clock, type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { type AuditLog } from '../audit-log.ts';
import { type ControlDatabase, type ReadTokenTable } from '../database.ts';
import { expiryAt } from '../expiry.ts';
import { type Reach } from '../members/role.ts';
import { hashToken, makeReadToken, makeReadTokenId, shownForm, type RandomBytes } from '../token.ts';
import { type ReadToken } from './read-token.ts';
import { type ReadTokenRequest } from './read-token-request.ts';

export type ReadTokensDeps = {
  readonly database: ControlDatabase;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** How exactly `last_used_at` is known: a write for every request would be one too many. */
const LAST_USED_MS = 60_000;

/** Tokens for whoever reads reports by program. They are no call keys: the gateway never sees them. */
export class ReadTokens {
  readonly #deps: ReadTokensDeps;

  constructor(deps: ReadTokensDeps) {
    this.#deps = deps;
  }

  /** @returns the secret, this once; only its hash is kept */
  async create(
    request: ReadTokenRequest,
    actor: string,
  ): Promise<{ readonly secret: string; readonly token: ReadToken }> {
    const { database, audit, clock, random } = this.#deps;
    const secret = makeReadToken(random);
    const token: ReadToken = {
      id: makeReadTokenId(random),
      name: request.name,
      shown: shownForm(secret),
      reach: request.reach,
      expiresAt: expiryAt(request.expiry, clock.now()),
      revokedAt: null,
      createdAt: clock.now(),
      createdBy: actor,
      lastUsedAt: null,
    };
    await database.transaction().execute(async (queries) => {
      await queries
        .insertInto('read_tokens')
        .values(toRow(token, hashToken(secret)))
        .execute();
      const detail = { name: token.name, reach: token.reach, expires_at: token.expiresAt };
      await audit.record({ actor, action: 'read_token.create', target: token.id, detail }, queries);
    });
    return { secret, token };
  }

  /** From the next request on. A revoked one stays in the list. */
  async revoke(id: string, actor: string): Promise<ReadToken> {
    const { database, audit, clock } = this.#deps;
    return database.transaction().execute(async (queries) => {
      const row = await queries
        .updateTable('read_tokens')
        .set({ revoked_at: clock.now() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) throw unknownToken();
      await audit.record({ actor, action: 'read_token.revoke', target: id, detail: {} }, queries);
      return fromRow(row);
    });
  }

  /** Newest first. */
  async list(): Promise<ReadToken[]> {
    const rows = await this.#deps.database
      .selectFrom('read_tokens')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute();
    return rows.map(fromRow);
  }

  /** Undefined for one that nobody made, that was revoked or has expired. */
  async use(secret: string): Promise<ReadToken | undefined> {
    const { database, clock } = this.#deps;
    const now = clock.now();
    const row = await database
      .selectFrom('read_tokens')
      .selectAll()
      .where('hash', '=', hashToken(secret))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const token = fromRow(row);
    if (token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt <= now)) return undefined;
    if (token.lastUsedAt === null || now - token.lastUsedAt >= LAST_USED_MS) {
      await database.updateTable('read_tokens').set({ last_used_at: now }).where('id', '=', token.id).execute();
    }
    return token;
  }
}

const reachSchema: z.ZodType<Reach> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everything') }),
  z.strictObject({
    kind: z.literal('only'),
    teams: z.array(z.string()).nullable(),
    entities: z.array(z.strictObject({ type: z.string(), id: z.string() })).nullable(),
  }),
]);

function toRow(token: ReadToken, hash: string): Selectable<ReadTokenTable> {
  return {
    id: token.id,
    hash,
    name: token.name,
    shown: token.shown,
    reach: JSON.stringify(token.reach),
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt,
    created_at: token.createdAt,
    created_by: token.createdBy,
    last_used_at: token.lastUsedAt,
  };
}

function fromRow(row: Selectable<ReadTokenTable>): ReadToken {
  return {
    id: row.id,
    name: row.name,
    shown: row.shown,
    reach: reachSchema.parse(JSON.parse(row.reach)),
    expiresAt: timeOrNull(row.expires_at),
    revokedAt: timeOrNull(row.revoked_at),
    createdAt: Number(row.created_at) as TimestampMs,
    createdBy: row.created_by,
    lastUsedAt: timeOrNull(row.last_used_at),
  };
}

function timeOrNull(value: number | string | null): TimestampMs | null {
  return value === null ? null : (Number(value) as TimestampMs);
}

function unknownToken(): ApportionError {
  return new ApportionError('not_found', 'No such token, or it is revoked already.', {
    hint: 'GET /v1/tokens lists them.',
  });
}
