import { type Clock, type TimestampMs } from '#std';
import { type ControlDatabase } from './database.ts';
import { type ControlQueries } from './key-table.ts';
import { type MemberRecord } from './members/member-record.ts';
import { findMember } from './members/member-table.ts';
import { hashToken, makeSessionToken, type RandomBytes } from './token.ts';

/** Twelve hours: a working day, after which one signs in again. */
export const UI_SESSION_MS = 12 * 60 * 60 * 1000;

/** `member`: null where it began with the admin key. */
export type UiSession = { readonly expiresAt: TimestampMs; readonly member: MemberRecord | null };

export type UiSessionDeps = {
  readonly database: ControlDatabase;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** @returns the token for the cookie; only its hash is kept. Every sign-in makes a new one: none can be planted beforehand */
export async function createUiSession(
  { database, clock, random }: UiSessionDeps,
  member: MemberRecord | null,
): Promise<UiSession & { token: string }> {
  const now = clock.now();
  await database.deleteFrom('ui_sessions').where('expires_at', '<=', now).execute();
  const token = makeSessionToken(random);
  const expiresAt = (now + UI_SESSION_MS) as TimestampMs;
  await database
    .insertInto('ui_sessions')
    .values({ hash: hashToken(token), created_at: now, expires_at: expiresAt, member_id: member?.id ?? null })
    .execute();
  return { token, expiresAt, member };
}

/** Undefined too where its member was disabled or deleted: what somebody may do is read anew for every request. */
export async function findUiSession({ database, clock }: UiSessionDeps, token: string): Promise<UiSession | undefined> {
  const row = await database
    .selectFrom('ui_sessions')
    .select(['expires_at', 'member_id'])
    .where('hash', '=', hashToken(token))
    .where('expires_at', '>', clock.now())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const expiresAt = Number(row.expires_at) as TimestampMs;
  if (row.member_id === null) return { expiresAt, member: null };
  const member = await findMember(database, { id: row.member_id });
  return member === undefined || member.disabled ? undefined : { expiresAt, member };
}

export async function endUiSession({ database }: UiSessionDeps, token: string): Promise<void> {
  await database.deleteFrom('ui_sessions').where('hash', '=', hashToken(token)).execute();
}

/** @param memberId null for those that began with the admin key */
export async function endUiSessionsOf(queries: ControlQueries, memberId: string | null): Promise<void> {
  await queries
    .deleteFrom('ui_sessions')
    .where('member_id', memberId === null ? 'is' : '=', memberId)
    .execute();
}
