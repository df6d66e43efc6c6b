import { type TimestampMs } from '#std';
import { toIso } from '../key-answer.ts';
import { type Reach } from '../members/role.ts';

/** A token that reads analytics within its reach and does nothing else; without its secret. */
export type ReadToken = {
  readonly id: string;
  readonly name: string;
  readonly shown: string;
  readonly reach: Reach;
  readonly expiresAt: TimestampMs | null;
  readonly revokedAt: TimestampMs | null;
  readonly createdAt: TimestampMs;
  readonly createdBy: string;
  /** To the minute. */
  readonly lastUsedAt: TimestampMs | null;
};

export function toReadTokenInfo(token: ReadToken): Record<string, unknown> {
  const { reach } = token;
  const only = reach.kind === 'only' ? reach : { teams: null, entities: null };
  return {
    object: 'read_token',
    id: token.id,
    name: token.name,
    shown: token.shown,
    everything: reach.kind === 'everything',
    teams: only.teams,
    entities: only.entities?.map(({ type, id }) => ({ entity_type: type, entity_id: id })) ?? null,
    expires: toIso(token.expiresAt),
    revoked_at: toIso(token.revokedAt),
    created_at: toIso(token.createdAt),
    created_by: token.createdBy,
    last_used_at: toIso(token.lastUsedAt),
  };
}
