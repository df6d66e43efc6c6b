import { sql, type Kysely, type Selectable } from 'kysely';
import { invariant, type TimestampMs } from '#std';
import { type ControlTables, type KeyTable } from './database.ts';
import { type KeyRecord } from './key-record.ts';

export type ControlQueries = Kysely<ControlTables>;

/** Raises the control-plane revision; the row stays locked until the transaction ends. */
export async function nextRevision(database: ControlQueries): Promise<number> {
  const { value } = await database
    .updateTable('control_revision')
    .set({ value: sql<number>`value + 1` })
    .where('id', '=', 1)
    .returning('value')
    .executeTakeFirstOrThrow();
  return Number(value);
}

/** Inserts the key, or replaces the row of that id. */
export async function putKey(database: ControlQueries, key: KeyRecord): Promise<void> {
  const row = toRow(key);
  await database
    .insertInto('keys')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

export async function findKey(
  database: ControlQueries,
  column: 'id' | 'hash' | 'alias',
  value: string,
): Promise<KeyRecord | undefined> {
  const row = await database
    .selectFrom('keys')
    .selectAll()
    .where(column, '=', value)
    // Of several keys with one alias at most one is not deleted; nulls sort differently per engine, so say it outright.
    .orderBy(sql`case when deleted_at is null then 0 else 1 end`)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Oldest first. */
export async function listKeys(database: ControlQueries): Promise<KeyRecord[]> {
  const rows = await database.selectFrom('keys').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map(fromRow);
}

function toRow(key: KeyRecord): Selectable<KeyTable> {
  return {
    id: key.id,
    hash: key.hash,
    name: key.name,
    alias: key.alias,
    prefix_shown: key.shown,
    role: key.role,
    team: key.team,
    owner: key.owner,
    models: JSON.stringify(key.models),
    routes: JSON.stringify(key.routes),
    addresses: JSON.stringify(key.addresses),
    metadata: JSON.stringify(key.metadata),
    expires_at: key.expiresAt,
    blocked: key.blocked ? 1 : 0,
    deleted_at: key.deletedAt,
    created_at: key.createdAt,
    revision: key.revision,
    previous_hash: key.previous?.hash ?? null,
    previous_until: key.previous?.until ?? null,
  };
}

function fromRow(row: Selectable<KeyTable>): KeyRecord {
  invariant(row.role === 'call', `key ${row.id} has a role this version does not know: ${row.role}`);
  return {
    id: row.id,
    hash: row.hash,
    previous: previousOf(row),
    name: row.name,
    alias: row.alias,
    shown: row.prefix_shown,
    role: row.role,
    team: row.team,
    owner: row.owner,
    models: parseList(row, 'models'),
    routes: parseList(row, 'routes'),
    addresses: parseList(row, 'addresses'),
    metadata: parseMetadata(row),
    expiresAt: timestamp(row.expires_at),
    blocked: row.blocked === 1,
    deletedAt: timestamp(row.deleted_at),
    createdAt: Number(row.created_at) as TimestampMs,
    revision: Number(row.revision),
  };
}

function previousOf({ previous_hash: hash, previous_until: until }: Selectable<KeyTable>): KeyRecord['previous'] {
  return hash === null || until === null ? null : { hash, until: Number(until) as TimestampMs };
}

function timestamp(value: number | string | null): TimestampMs | null {
  return value === null ? null : (Number(value) as TimestampMs);
}

function parseList(row: Selectable<KeyTable>, column: 'models' | 'routes' | 'addresses'): string[] {
  const parsed: unknown = JSON.parse(row[column]);
  invariant(Array.isArray(parsed), `the ${column} of key ${row.id} are not a list`);
  return parsed.map(String);
}

function parseMetadata({ id, metadata }: Selectable<KeyTable>): Record<string, unknown> {
  const parsed: unknown = JSON.parse(metadata);
  invariant(typeof parsed === 'object' && parsed !== null, `the metadata of key ${id} is not an object`);
  return { ...parsed };
}
