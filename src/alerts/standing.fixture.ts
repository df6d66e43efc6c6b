import type { TimestampMs } from '#std';
import { parseUsd, ZERO_USD, type PicoUsd } from '#terms';
import type { NamedCrossing, NamedStanding } from './judge-budgets.ts';

export const NOON = '2026-05-04T12:00:00Z';

export const BUDGET = { id: 'bud_1', name: 'each customer', rolling: false };

export const DAY = { start: Date.parse('2026-05-04') as TimestampMs, end: Date.parse('2026-05-05') as TimestampMs };

const LIMIT = 100_000_000_000_000n as PicoUsd;

export function usd(text: string): PicoUsd {
  const amount = parseUsd(text);
  if (amount === undefined) throw new Error(`${text} is no amount`);
  return amount;
}

/** What a customer has spent of $100 on the day of `NOON`. */
export function standing(customer: string, spent: string, more: Partial<NamedStanding> = {}): NamedStanding {
  const none = { reserved: ZERO_USD, atRisk: ZERO_USD, overrun: ZERO_USD, unbounded: 0, unpriced: 0 };
  const whose = { budget: BUDGET, budgetId: BUDGET.id, instance: [customer], windowId: '2026-05-04' };
  return { ...whose, ...DAY, limit: LIMIT, spent: usd(spent), ...none, ...more };
}

export function crossing(customer: string, threshold: number): NamedCrossing {
  const whose = { budget: BUDGET, budgetId: BUDGET.id, instance: [customer], windowId: '2026-05-04', window: DAY };
  return { ...whose, threshold, limit: LIMIT, committed: usd('90') };
}
