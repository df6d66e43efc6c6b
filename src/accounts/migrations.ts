import { sql, type Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { type ControlDatabase } from './database.ts';

/** In order of name; a released one never changes. Plain types only: the same steps run on Postgres. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_keys_and_sessions': { up: createKeysAndSessions },
  '0002_teams_and_tags': { up: createTeamsAndTags },
  '0003_prices_and_audit': { up: createPricesAndAudit },
  '0004_members_and_tokens': { up: createMembersAndTokens },
  '0005_budgets_and_limits': { up: createBudgetsAndLimits },
  '0006_access': { up: createAccess },
  '0007_subjects': { up: createSubjects },
};

export async function migrate(database: ControlDatabase): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('control.db could not be migrated', { cause: error });
}

async function createKeysAndSessions(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('alias', 'text')
    .addColumn('prefix_shown', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('team', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('models', 'text', (column) => column.notNull())
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('blocked', 'integer', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('keys_by_alias').on('keys').column('alias').execute();
  await database.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('ui_sessions')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('control_revision')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('value', 'bigint', (column) => column.notNull())
    .execute();
}

async function createTeamsAndTags(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('teams')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('alias', 'text')
    .addColumn('metadata', 'text', (column) => column.notNull())
    .addColumn('blocked', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('keys_by_team').on('keys').column('team').execute();
  await database.schema
    .createTable('tag_registry')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('owner', 'text')
    .addColumn('models', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addPrimaryKeyConstraint('tag_registry_name', ['kind', 'name'])
    .execute();
}

async function createPricesAndAudit(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('price_terms')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('audit_log')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute();
}

async function createMembersAndTokens(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('members')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('email', 'text')
    .addColumn('email_folded', 'text', (column) => column.unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('teams', 'text', (column) => column.notNull())
    .addColumn('password', 'text')
    .addColumn('disabled', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('last_sign_in_at', 'bigint')
    .addColumn('deleted_at', 'bigint')
    .execute();
  await database.schema
    .createTable('member_links')
    .addColumn('member_id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('read_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('shown', 'text', (column) => column.notNull())
    .addColumn('reach', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute();
  await database.schema.alterTable('ui_sessions').addColumn('member_id', 'text').execute();
  await database.schema.alterTable('keys').addColumn('previous_hash', 'text').execute();
  await database.schema.alterTable('keys').addColumn('previous_until', 'bigint').execute();
}

async function createBudgetsAndLimits(database: Kysely<unknown>): Promise<void> {
  for (const table of ['budgets', 'limits']) {
    await database.schema
      .createTable(table)
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('origin_kind', 'text', (column) => column.notNull())
      .addColumn('origin_id', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('deleted_at', 'bigint')
      .addColumn('revision', 'bigint', (column) => column.notNull())
      .execute();
    await database.schema.createIndex(`${table}_by_origin`).on(table).columns(['origin_kind', 'origin_id']).execute();
  }
}

async function createAccess(database: Kysely<unknown>): Promise<void> {
  for (const column of ['routes', 'addresses']) {
    await database.schema
      .alterTable('keys')
      .addColumn(column, 'text', (added) => added.notNull().defaultTo('[]'))
      .execute();
  }
  await database.schema.alterTable('members').addColumn('subject', 'text').execute();
  await database.schema.createIndex('members_by_subject').on('members').column('subject').unique().execute();
  // SQLite's own words: Postgres has another way to say the same. An erasure may take a value out of a row, and says so first.
  await sql`CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`.execute(database);
  // REPLACE removes without asking a trigger of removals.
  await sql`CREATE TRIGGER audit_log_once BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = new.id)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`.execute(database);
  await sql`CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
    WHEN new.id <> old.id OR new.at <> old.at OR new.actor <> old.actor OR new.action <> old.action
      OR NOT EXISTS (SELECT 1 FROM meta WHERE key = 'audit_erasure')
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`.execute(database);
}

async function createSubjects(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('subjects')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('profile', 'text', (column) => column.notNull())
    .addColumn('terms', 'text', (column) => column.notNull())
    .addColumn('plan_id', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('subjects_name', ['kind', 'id'])
    .execute();
  await database.schema.createIndex('subjects_by_plan').on('subjects').column('plan_id').execute();
  await database.schema
    .createTable('budget_plans')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('terms', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('updated_by', 'text', (column) => column.notNull())
    .execute();
}
