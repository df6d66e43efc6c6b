import type { Crossing, Standing } from '#budgets';
import type { TimestampMs } from '#std';
import { parseUsd, ZERO_USD, type PicoUsd } from '#terms';
import type { NamedBudget } from './judge-budgets.ts';

export const NOON = '2026-05-04T12:00:00Z';

export const BUDGET: NamedBudget = {
  id: 'bud_1',
  name: 'each customer',
  window: { kind: 'day', count: 1, zone: 'UTC' },
};

export const DAY = { start: Date.parse('2026-05-04') as TimestampMs, end: Date.parse('2026-05-05') as TimestampMs };

const LIMIT = 100_000_000_000_000n as PicoUsd;

function usd(text: string): PicoUsd {
  const amount = parseUsd(text);
  if (amount === undefined) throw new Error(`${text} is no amount`);
  return amount;
}

/** What a customer has spent of $100 on the day of `NOON`. */
export function standing(customer: string, spent: string, more: Partial<Standing> = {}): Standing {
  const none = { reserved: ZERO_USD, atRisk: ZERO_USD, overrun: ZERO_USD, unbounded: 0, unpriced: 0 };
  const whose = { budgetId: BUDGET.id, instance: [customer], windowId: '2026-05-04' };
  return { ...whose, ...DAY, limit: LIMIT, spent: usd(spent), ...none, ...more };
}

export function crossing(customer: string, threshold: number): Crossing {
  const whose = { budgetId: BUDGET.id, instance: [customer], windowId: '2026-05-04' };
  return { ...whose, threshold, limit: LIMIT, committed: usd('90') };
}
