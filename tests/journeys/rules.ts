import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BudgetRecord, LimitRecord } from '#accounts';
import { systemClock } from '#std';
import type { Gateway } from '#world';

type GivenBudget = Pick<BudgetRecord, 'id' | 'limit'> & Partial<BudgetRecord>;
type GivenLimit = Pick<LimitRecord, 'id' | 'amount'> & Partial<LimitRecord>;

/** Budgets and limits as an operator would have made them, in force after a restart. */
export async function putRules(
  gateway: Gateway,
  { budgets = [], limits = [] }: { readonly budgets?: readonly GivenBudget[]; readonly limits?: readonly GivenLimit[] },
): Promise<void> {
  await gateway.stop();
  const database = new DatabaseSync(join(gateway.dataDir, 'control.db'));
  database.exec('DELETE FROM budgets; DELETE FROM limits;');
  const now = systemClock.now();
  const rule = {
    scope: [],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
    origin: { kind: 'api', id: '' },
    createdAt: now,
    createdBy: 'test',
    updatedAt: now,
    deletedAt: null,
    revision: 1,
  } as const;
  const insert = (table: string, record: object & { readonly id: string }): void => {
    const columns = '(id, body, origin_kind, origin_id, created_at, deleted_at, revision)';
    const values = [record.id, JSON.stringify(record), 'api', '', now, null, 1] as const;
    database.prepare(`INSERT INTO ${table} ${columns} VALUES (?, ?, ?, ?, ?, ?, ?)`).run(...values);
  };
  for (const budget of budgets) {
    const usual = { mode: 'strict', action: { kind: 'block' }, thresholds: [], raise: null } as const;
    insert('budgets', { ...rule, name: budget.id, window: { kind: 'total' }, ...usual, ...budget });
  }
  for (const limit of limits) {
    const pace = { kind: 'bucket', perMs: 60_000, burst: limit.amount };
    insert('limits', { ...rule, name: limit.id, measure: 'requests', pace, ...limit });
  }
  database.close();
  // Without it the server waits for control.db, and so for the rules.
  await rm(join(gateway.dataDir, 'control-snapshot.json'), { force: true });
  await gateway.restart();
}
