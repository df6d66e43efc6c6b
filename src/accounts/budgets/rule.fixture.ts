import { systemClock } from '#std';
import { type BudgetRecord, type LimitRecord } from './rule-record.ts';

const now = systemClock.now();

const RULE = {
  scope: [{ on: 'dimension', key: 'customer', values: { kind: 'each' } }],
  counts: 'declared',
  effectiveFrom: null,
  effectiveTo: null,
  origin: { kind: 'api', id: '' },
  createdAt: now,
  createdBy: 'admin_key',
  updatedAt: now,
  deletedAt: null,
  revision: 1,
} as const;

/** Ten and a half dollars a month for each customer. */
export function budgetRecord(given: Partial<BudgetRecord> = {}): BudgetRecord {
  return {
    ...RULE,
    id: 'budget_1',
    name: 'Each customer',
    limit: '10.5',
    window: { kind: 'month', count: 1, startsOn: 1, zone: 'Asia/Kathmandu' },
    mode: 'strict',
    action: { kind: 'block' },
    outage: 'spend_lease',
    thresholds: [50, 80, 100],
    raise: { by: '0.000000000001', until: now },
    ...given,
  };
}

/** Sixty requests a minute for each customer, ten of them at once. */
export function limitRecord(given: Partial<LimitRecord> = {}): LimitRecord {
  return {
    ...RULE,
    id: 'limit_1',
    name: 'Each customer',
    measure: 'requests',
    amount: '60',
    pace: { kind: 'bucket', perMs: 60_000, burst: '10' },
    ...given,
  };
}
