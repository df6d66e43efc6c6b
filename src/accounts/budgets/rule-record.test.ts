import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBudgetFault, findLimitFault } from '#budgets';
import { systemClock } from '#std';
import { picoUsd } from '#terms';
import { KeyRing } from '../key-ring.ts';
import { readSnapshot, writeSnapshot } from '../snapshot-file.ts';
import { readBudget, readLimit } from './rule-record.ts';
import { budgetRecord, limitRecord } from './rule.fixture.ts';

const NOTHING = { keys: [], teams: [], priceTerms: [], budgets: [], limits: [] };

test('a record is the budget it was made of, to the last pico-dollar', () => {
  const record = budgetRecord();
  const budget = readBudget(record);
  assert.equal(budget.limit, picoUsd(10_500_000_000_000n));
  assert.deepEqual(budget.raise, { by: picoUsd(1n), until: record.raise?.until });
  assert.equal(findBudgetFault(budget), null);
  assert.deepEqual(readBudget(budgetRecord({ raise: null })).raise, null);
});

test('a limit counts units, and dollars as money', () => {
  const { id, name, scope, counts, effectiveFrom, effectiveTo } = limitRecord();
  const rule = { id, name, scope, counts, effectiveFrom, effectiveTo };
  const requests = readLimit(limitRecord());
  assert.deepEqual(requests, {
    ...rule,
    measure: 'requests',
    amount: 60n,
    pace: { kind: 'bucket', perMs: 60_000, burst: 10n },
  });
  assert.equal(findLimitFault(requests), null);
  const pace = { kind: 'window', window: { kind: 'day', count: 1, zone: 'UTC' } } as const;
  assert.deepEqual(readLimit(limitRecord({ measure: 'usd', amount: '0.5', pace })), {
    ...rule,
    measure: 'usd',
    amount: 500_000_000_000n,
    pace,
  });
  assert.deepEqual(readLimit(limitRecord({ measure: 'parallel', amount: '3', pace: null })), {
    ...rule,
    measure: 'parallel',
    amount: 3n,
  });
});

test('the snapshot file keeps budgets and limits', async (context) => {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-rules-'));
  context.after(() => rm(dir, { recursive: true }));
  const file = join(dir, 'control.json');
  const snapshot = {
    ...NOTHING,
    revision: 3,
    adminKeyHash: null,
    budgets: [budgetRecord()],
    limits: [limitRecord(), limitRecord({ id: 'limit_2', measure: 'parallel', pace: null })],
  };
  await writeSnapshot(file, snapshot);
  assert.deepEqual(await readSnapshot(file), snapshot);
});

test('a ring has a new list of budgets when one changes, and the same one when something else does', () => {
  const ring = new KeyRing({ ...NOTHING, revision: 0, adminKeyHash: null }, { clock: systemClock, adminKey: null });
  const [first, second] = [budgetRecord(), budgetRecord({ id: 'budget_2' })];
  ring.apply({ ...NOTHING, revision: 1, budgets: [first, second], limits: [limitRecord()] });
  assert.deepEqual(ring.budgets, [first, second]);
  assert.deepEqual(ring.limits, [limitRecord()]);
  const kept = ring.budgets;
  ring.apply({ ...NOTHING, revision: 2, limits: [limitRecord({ deletedAt: systemClock.now() })] });
  assert.equal(ring.budgets, kept);
  assert.deepEqual(ring.limits, []);
  const raised = budgetRecord({ limit: '20', revision: 3 });
  ring.apply({ ...NOTHING, revision: 3, budgets: [raised] });
  assert.deepEqual(ring.budgets, [raised, second]);
});
