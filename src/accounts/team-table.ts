import { type Selectable } from 'kysely';
import { invariant, type TimestampMs } from '#std';
import { type TeamTable } from './database.ts';
import { type ControlQueries } from './key-table.ts';
import { type TeamRecord } from './team-record.ts';

/** Inserts the team, or replaces the row of that id. */
export async function putTeam(database: ControlQueries, team: TeamRecord): Promise<void> {
  const row = toRow(team);
  await database
    .insertInto('teams')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** The team of that id, unless it is deleted. */
export async function findTeam(database: ControlQueries, id: string): Promise<TeamRecord | undefined> {
  const row = await database
    .selectFrom('teams')
    .selectAll()
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Those that are not deleted, oldest first. */
export async function listTeams(database: ControlQueries): Promise<TeamRecord[]> {
  const rows = await database
    .selectFrom('teams')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

function toRow(team: TeamRecord): Selectable<TeamTable> {
  return {
    id: team.id,
    alias: team.alias,
    metadata: JSON.stringify(team.metadata),
    blocked: team.blocked ? 1 : 0,
    created_at: team.createdAt,
    deleted_at: team.deletedAt,
    revision: team.revision,
  };
}

function fromRow(row: Selectable<TeamTable>): TeamRecord {
  const metadata: unknown = JSON.parse(row.metadata);
  invariant(typeof metadata === 'object' && metadata !== null, `the metadata of team ${row.id} is not an object`);
  return {
    id: row.id,
    alias: row.alias,
    metadata: { ...metadata },
    blocked: row.blocked === 1,
    createdAt: Number(row.created_at) as TimestampMs,
    deletedAt: row.deleted_at === null ? null : (Number(row.deleted_at) as TimestampMs),
    revision: Number(row.revision),
  };
}
