import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type { ControlDatabase } from '#accounts';

/** In order of name; a released one never changes. Plain types only: the same steps run on Postgres. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_rules_and_outbox': { up: createRulesAndOutbox },
};

/** Beside the migrations of accounts, in tables of its own, so that neither waits for a number of the other. */
export async function migrateAlerts(database: ControlDatabase): Promise<void> {
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: 'alert_migrations',
    migrationLockTableName: 'alert_migrations_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw new Error('the tables of alerts could not be migrated', { cause: error });
}

async function createRulesAndOutbox(database: Kysely<unknown>): Promise<void> {
  await createRules(database);
  await createOutbox(database);
}

async function createRules(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('alert_rules')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('muted_until', 'bigint')
    .addColumn('evaluated_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .execute();
  await database.schema
    .createTable('alert_channels')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('shown', 'text', (column) => column.notNull())
    .addColumn('secrets', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .execute();
  await database.schema
    .createTable('alert_events')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('rule_id', 'text', (column) => column.notNull())
    .addColumn('instance', 'text', (column) => column.notNull())
    .addColumn('window_id', 'text', (column) => column.notNull())
    .addColumn('threshold', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('resolved_at', 'bigint')
    .addColumn('body', 'text', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('alert_events_by_rule').on('alert_events').columns(['rule_id', 'state']).execute();
}

async function createOutbox(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('alert_deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('channel_id', 'text', (column) => column.notNull())
    .addColumn('event_id', 'text')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'bigint', (column) => column.notNull())
    .addColumn('digest_id', 'text')
    .addColumn('claimed_by', 'text')
    .addColumn('claimed_until', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('done_at', 'bigint')
    .execute();
  await database.schema
    .createIndex('alert_deliveries_due')
    .on('alert_deliveries')
    .columns(['state', 'due_at'])
    .execute();
  await database.schema.createIndex('alert_deliveries_by_event').on('alert_deliveries').column('event_id').execute();
  await database.schema.createIndex('alert_deliveries_by_digest').on('alert_deliveries').column('digest_id').execute();
  await database.schema
    .createTable('alert_attempts')
    .addColumn('delivery_id', 'text', (column) => column.notNull())
    .addColumn('n', 'bigint', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('took_ms', 'bigint', (column) => column.notNull())
    .addColumn('ok', 'integer', (column) => column.notNull())
    .addColumn('status', 'bigint')
    .addColumn('answer', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('alert_attempts_of_delivery', ['delivery_id', 'n'])
    .execute();
}
