import { type Selectable } from 'kysely';
import { invariant, type TimestampMs } from '#std';
import { ROLES } from '#terms';
import { type MemberTable } from '../database.ts';
import { type ControlQueries } from '../key-table.ts';
import { type MemberRecord } from './member-record.ts';

/** Inserts the member, or replaces the row of that id. */
export async function putMember(queries: ControlQueries, member: MemberRecord): Promise<void> {
  const row = toRow(member);
  await queries
    .insertInto('members')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** @param email in any case */
export async function findMember(
  queries: ControlQueries,
  by: { readonly id: string } | { readonly email: string } | { readonly subject: string },
): Promise<MemberRecord | undefined> {
  const found = queries.selectFrom('members').selectAll().where('deleted_at', 'is', null);
  const named =
    'id' in by
      ? found.where('id', '=', by.id)
      : 'email' in by
        ? found.where('email_folded', '=', foldEmail(by.email))
        : found.where('subject', '=', by.subject);
  const row = await named.executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Those that are not deleted, oldest first. */
export async function listMembers(queries: ControlQueries): Promise<MemberRecord[]> {
  const rows = await queries
    .selectFrom('members')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

function foldEmail(email: string): string {
  return email.trim().toLowerCase();
}

function toRow(member: MemberRecord): Selectable<MemberTable> {
  return {
    id: member.id,
    kind: member.kind,
    email: member.email,
    // A deleted member's address may be invited again.
    email_folded: member.email === null || member.deletedAt !== null ? null : foldEmail(member.email),
    name: member.name,
    role: member.role,
    teams: JSON.stringify(member.teams),
    password: member.password,
    disabled: member.disabled ? 1 : 0,
    created_at: member.createdAt,
    created_by: member.createdBy,
    last_sign_in_at: member.lastSignInAt,
    deleted_at: member.deletedAt,
    subject: member.deletedAt === null ? member.subject : null,
  };
}

function fromRow(row: Selectable<MemberTable>): MemberRecord {
  const role = ROLES.find((one) => one === row.role);
  invariant(role !== undefined, `member ${row.id} has a role this version does not know: ${row.role}`);
  const { kind } = row;
  invariant(kind === 'person' || kind === 'service', `member ${row.id} is of an unknown kind: ${kind}`);
  const teams: unknown = JSON.parse(row.teams);
  invariant(Array.isArray(teams), `the teams of member ${row.id} are not a list`);
  return {
    id: row.id,
    kind,
    email: row.email,
    name: row.name,
    role,
    teams: teams.map(String),
    subject: row.subject,
    password: row.password,
    disabled: row.disabled === 1,
    createdAt: Number(row.created_at) as TimestampMs,
    createdBy: row.created_by,
    lastSignInAt: row.last_sign_in_at === null ? null : (Number(row.last_sign_in_at) as TimestampMs),
    deletedAt: row.deleted_at === null ? null : (Number(row.deleted_at) as TimestampMs),
  };
}
