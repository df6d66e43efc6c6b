import { type Clock, type TimestampMs } from '#std';
import { type ControlDatabase } from './database.ts';
import { hashToken, makeSessionToken, type RandomBytes } from './token.ts';

/** Twelve hours: a working day, after which the admin key is asked for again. */
export const UI_SESSION_MS = 12 * 60 * 60 * 1000;

export type UiSession = { readonly expiresAt: TimestampMs };

export type UiSessionDeps = {
  readonly database: ControlDatabase;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** @returns the token for the cookie; only its hash is kept */
export async function createUiSession({
  database,
  clock,
  random,
}: UiSessionDeps): Promise<UiSession & { token: string }> {
  const now = clock.now();
  await database.deleteFrom('ui_sessions').where('expires_at', '<=', now).execute();
  const token = makeSessionToken(random);
  const expiresAt = (now + UI_SESSION_MS) as TimestampMs;
  await database
    .insertInto('ui_sessions')
    .values({ hash: hashToken(token), created_at: now, expires_at: expiresAt })
    .execute();
  return { token, expiresAt };
}

export async function findUiSession({ database, clock }: UiSessionDeps, token: string): Promise<UiSession | undefined> {
  const row = await database
    .selectFrom('ui_sessions')
    .select('expires_at')
    .where('hash', '=', hashToken(token))
    .where('expires_at', '>', clock.now())
    .executeTakeFirst();
  return row === undefined ? undefined : { expiresAt: Number(row.expires_at) as TimestampMs };
}

export async function endUiSession({ database }: UiSessionDeps, token: string): Promise<void> {
  await database.deleteFrom('ui_sessions').where('hash', '=', hashToken(token)).execute();
}
