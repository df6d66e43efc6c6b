import { type TimestampMs } from '#std';
import { type FiguresOf } from './subjects/subject-answer.ts';
import { type KeyRecord } from './key-record.ts';

/** LiteLLM's answer to `POST /key/generate`: the only place where a token is ever shown. */
export function toKeyGenerateAnswer(
  { token, key }: { readonly token: string; readonly key: KeyRecord },
  figures: FiguresOf,
): Record<string, unknown> {
  return { key: token, token: key.hash, token_id: key.hash, ...toKeyInfo(key, figures) };
}

/** What is shown of a key beside itself. */
export type KeyUse = {
  /** Null for never, undefined for not known. */
  readonly lastUsedAt: TimestampMs | null | undefined;
  readonly figures: FiguresOf;
};

/** LiteLLM's answer to `GET /key/info`, with when the key was last used. */
export function toKeyInfoAnswer(key: KeyRecord, shown: KeyUse): Record<string, unknown> {
  return { key: key.hash, info: toUsedKey(key, shown) };
}

/** A key in a list that says when each was last used. */
export function toUsedKey(key: KeyRecord, { lastUsedAt, figures }: KeyUse): Record<string, unknown> {
  return { ...toKeyState(key, figures), ...(lastUsedAt === undefined ? {} : { last_active: toIso(lastUsedAt) }) };
}

/** A key within another answer, and LiteLLM's answer to block and unblock. */
export function toKeyState(key: KeyRecord, figures: FiguresOf): Record<string, unknown> {
  return { token: key.hash, ...toKeyInfo(key, figures) };
}

/** LiteLLM's answer to `POST /key/update`: the key as it is now. */
export function toKeyUpdateAnswer(key: KeyRecord, figures: FiguresOf): Record<string, unknown> {
  return { key: key.hash, ...toKeyState(key, figures) };
}

/** What every key answer says. `key_name` is LiteLLM's shortened token; `name` is what our reports call the key. */
function toKeyInfo(key: KeyRecord, figures: FiguresOf): Record<string, unknown> {
  return {
    id: key.id,
    name: key.name,
    key_name: `sk-...${key.shown.slice(-4)}`,
    key_alias: key.alias,
    expires: toIso(key.expiresAt),
    team_id: key.team === '' ? null : key.team,
    user_id: key.owner === '' ? null : key.owner,
    models: key.models,
    allowed_routes: key.routes,
    allowed_ips: key.addresses,
    metadata: key.metadata,
    blocked: key.blocked,
    created_at: toIso(key.createdAt),
    deleted_at: toIso(key.deletedAt),
    /** Until when the token before this one still counts. */
    previous_token_until: toIso(key.previous?.until ?? null),
    ...figures({ kind: 'key', id: key.id }),
  };
}

export function toIso(time: TimestampMs | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
