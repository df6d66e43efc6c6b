import { sql } from 'kysely';
import { type ControlWrites } from './control-writes.ts';
import { type ControlDatabase } from './database.ts';
import { listKeys } from './key-table.ts';

/** A value that names somebody whose data is erased. */
export type ForgetRequest = {
  readonly value: string;
  /** Whether keys that it owns lose their owner. */
  readonly ofKeys: boolean;
  /** Whether a text holds the value. */
  readonly holds: (text: string) => boolean;
  /** What stands in its place. */
  readonly erased: string;
};

export type Forgotten = {
  readonly rows: number;
  /** Ids of keys, teams, price terms and members that still name it, since they are what somebody configured. */
  readonly stillNamedBy: readonly string[];
};

type ForgetDeps = { readonly database: ControlDatabase; readonly writes: ControlWrites };

/** Forgets a value: what is registered of tags with it, the owner of keys, the words of the audit log. Can be repeated. */
export async function forgetValue({ database, writes }: ForgetDeps, request: ForgetRequest): Promise<Forgotten> {
  // What is deleted is overwritten, here and, by the vacuum, in pages that were given back before.
  await sql`PRAGMA secure_delete = ON`.execute(database);
  const rows =
    (await forgetTags(database, request)) +
    (await forgetOwner({ database, writes }, request)) +
    (await forgetDeletedRules(database, request)) +
    (await forgetInAudit(database, request));
  await sql`VACUUM`.execute(database);
  await sql`PRAGMA wal_checkpoint(TRUNCATE)`.execute(database);
  return { rows, stillNamedBy: await namedBy(database, request) };
}

/** What people say of tags explains reports and decides nothing: what names the value goes, whole. */
async function forgetTags(database: ControlDatabase, { holds }: ForgetRequest): Promise<number> {
  const rows = await database.selectFrom('tag_registry').select(['kind', 'name', 'description', 'owner']).execute();
  const held = rows.filter(({ name, description, owner }) =>
    [name, description, owner].some((text) => text !== null && holds(text)),
  );
  for (const { kind, name } of held)
    await database.deleteFrom('tag_registry').where('kind', '=', kind).where('name', '=', name).execute();
  return held.length;
}

async function forgetOwner({ database, writes }: ForgetDeps, request: ForgetRequest): Promise<number> {
  if (!request.ofKeys) return 0;
  const owned = (await listKeys(database)).filter(({ owner }) => owner === request.value);
  if (owned.length === 0) return 0;
  return writes.write(async (queries, revision) => {
    const keys = (await listKeys(queries)).filter(({ owner }) => owner === request.value);
    return { answer: keys.length, keys: keys.map((key) => ({ ...key, owner: request.erased, revision })) };
  });
}

/** Budgets and limits that are in force are what somebody configured; of those that were taken away nobody needs the words. */
async function forgetDeletedRules(database: ControlDatabase, { holds }: ForgetRequest): Promise<number> {
  let forgotten = 0;
  for (const table of ['budgets', 'limits'] as const) {
    const rows = await database.selectFrom(table).select(['id', 'body']).where('deleted_at', 'is not', null).execute();
    const held = rows.filter(({ body }) => holdsAnywhere(JSON.parse(body), holds));
    for (const { id } of held) await database.deleteFrom(table).where('id', '=', id).execute();
    forgotten += held.length;
  }
  return forgotten;
}

/** The log says for ever who did what; of whom it was done to, only the value goes. */
async function forgetInAudit(database: ControlDatabase, { holds, erased }: ForgetRequest): Promise<number> {
  const rows = await database.selectFrom('audit_log').select(['id', 'target', 'detail']).execute();
  const held = rows.filter(({ target, detail }) => holds(target) || holdsAnywhere(JSON.parse(detail), holds));
  await database.transaction().execute(async (queries) => {
    // The table refuses every change but this one.
    await queries.insertInto('meta').values({ key: 'audit_erasure', value: '' }).execute();
    for (const { id, target, detail } of held) {
      const forgotten = {
        target: holds(target) ? erased : target,
        detail: JSON.stringify(JSON.parse(detail), (_, text: unknown) =>
          typeof text === 'string' && holds(text) ? erased : text,
        ),
      };
      await queries.updateTable('audit_log').set(forgotten).where('id', '=', id).execute();
    }
    await queries.deleteFrom('meta').where('key', '=', 'audit_erasure').execute();
  });
  return held.length;
}

function holdsAnywhere(json: unknown, holds: (text: string) => boolean): boolean {
  if (typeof json === 'string') return holds(json);
  if (typeof json !== 'object' || json === null) return false;
  return Object.values(json).some((value) => holdsAnywhere(value, holds));
}

async function namedBy(database: ControlDatabase, { holds }: ForgetRequest): Promise<readonly string[]> {
  const tables = await Promise.all([
    database.selectFrom('keys').select(['id', 'name', 'alias', 'owner', 'metadata']).execute(),
    database.selectFrom('teams').select(['id', 'alias', 'metadata']).execute(),
    database.selectFrom('price_terms').select(['id', 'body']).execute(),
    database.selectFrom('members').select(['id', 'email', 'name']).execute(),
    database.selectFrom('subjects').select(['id', 'profile']).execute(),
    database.selectFrom('budgets').select(['id', 'body']).execute(),
    database.selectFrom('limits').select(['id', 'body']).execute(),
  ]);
  return tables
    .flat()
    .filter((row) => Object.values(row).some((text) => text !== null && holds(text)))
    .map(({ id }) => id);
}
