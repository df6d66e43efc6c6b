import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BudgetRecord } from '#accounts';
import type { Rules } from '#ledger';
import { createLog } from '#observe';
import { systemClock } from '#std';
import { Governor } from './governor.ts';

function record(id: string, given: Partial<BudgetRecord> = {}): BudgetRecord {
  const now = systemClock.now();
  return {
    id,
    name: id,
    scope: [{ on: 'key', values: { kind: 'is', value: 'key_1' } }],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
    limit: '10',
    window: { kind: 'total' },
    mode: 'strict',
    outage: 'refuse',
    action: { kind: 'block' },
    thresholds: [],
    raise: null,
    origin: { kind: 'api', id: '' },
    createdAt: now,
    createdBy: 'test',
    updatedAt: now,
    deletedAt: null,
    revision: 1,
    ...given,
  };
}

test('a stored budget that cannot be read or contradicts itself is left out, and the others are in force', async () => {
  const told: Rules[] = [];
  const keys = {
    budgets: [
      record('sound'),
      record('no money', { limit: 'ten' }),
      record('no zone', { window: { kind: 'hour', zone: 'Nowhere' } }),
    ],
    limits: [],
    keyById: () => undefined,
  };
  const governor = new Governor({
    journal: {
      govern: async (rules: Rules) => {
        told.push(rules);
        return { problem: null };
      },
    },
    keys,
    log: createLog({ level: 'silent', part: 'gateway' }),
  });
  await governor.update();
  await governor.update();
  assert.deepEqual(
    told.map(({ budgets }) => budgets.map(({ budget }) => budget.id)),
    [['sound']],
  );
  const intent = { call_id: 'call_1', attempt: 1, effective_at: '2026-11-21T12:00:00Z', key_id: 'key_1' };
  assert.equal(governor.isStrict(JSON.stringify(intent)), true);
  assert.equal(governor.isStrict(JSON.stringify({ ...intent, key_id: 'key_2' })), false);
});
