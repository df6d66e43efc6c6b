import { type Selectable } from 'kysely';
import { type z } from 'zod';
import { type RuleTable } from '../database.ts';
import { type ControlQueries } from '../key-table.ts';
import { type BudgetRecord, type LimitRecord, type RuleOrigin, type RuleRecord } from './rule-record.ts';
import { budgetRecordSchema, limitRecordSchema } from './rule-schema.ts';

type RuleTableName = 'budgets' | 'limits';

export async function putBudget(database: ControlQueries, budget: BudgetRecord): Promise<void> {
  await put(database, 'budgets', budget);
}

export async function putLimit(database: ControlQueries, limit: LimitRecord): Promise<void> {
  await put(database, 'limits', limit);
}

/** The budget of that id, deleted or not. */
export async function findBudget(database: ControlQueries, id: string): Promise<BudgetRecord | undefined> {
  const row = await find(database, 'budgets', id);
  return row === undefined ? undefined : fromRow(row, budgetRecordSchema);
}

/** The limit of that id, deleted or not. */
export async function findLimit(database: ControlQueries, id: string): Promise<LimitRecord | undefined> {
  const row = await find(database, 'limits', id);
  return row === undefined ? undefined : fromRow(row, limitRecordSchema);
}

/** Those that are not deleted, oldest first; of one origin where one is given. */
export async function listBudgets(database: ControlQueries, origin?: RuleOrigin): Promise<BudgetRecord[]> {
  return (await list(database, 'budgets', origin)).map((row) => fromRow(row, budgetRecordSchema));
}

/** Those that are not deleted, oldest first; of one origin where one is given. */
export async function listLimits(database: ControlQueries, origin?: RuleOrigin): Promise<LimitRecord[]> {
  return (await list(database, 'limits', origin)).map((row) => fromRow(row, limitRecordSchema));
}

async function put(
  database: ControlQueries,
  table: RuleTableName,
  rule: RuleRecord & { readonly id: string },
): Promise<void> {
  const row: Selectable<RuleTable> = {
    id: rule.id,
    body: JSON.stringify(rule),
    origin_kind: rule.origin.kind,
    origin_id: rule.origin.id,
    created_at: rule.createdAt,
    deleted_at: rule.deletedAt,
    revision: rule.revision,
  };
  await database
    .insertInto(table)
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

async function find(
  database: ControlQueries,
  table: RuleTableName,
  id: string,
): Promise<Selectable<RuleTable> | undefined> {
  return database.selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst();
}

async function list(
  database: ControlQueries,
  table: RuleTableName,
  origin: RuleOrigin | undefined,
): Promise<readonly Selectable<RuleTable>[]> {
  return database
    .selectFrom(table)
    .selectAll()
    .where('deleted_at', 'is', null)
    .$if(origin !== undefined, (query) =>
      query.where('origin_kind', '=', origin?.kind ?? '').where('origin_id', '=', origin?.id ?? ''),
    )
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

function fromRow<T>({ body }: Selectable<RuleTable>, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(body));
}
