import assert from 'node:assert/strict';
import { pico } from '#world';
import type { Attributed } from './attributed.ts';
import type { Report, ReportRow } from './record.ts';

/** What the chosen entries cost together. None at all means the test asks about nothing. */
export function spent(entries: readonly Attributed[], chosen: (entry: Attributed) => boolean = () => true): bigint {
  const costs = entries.filter(chosen).map(({ cost }) => cost);
  assert.ok(costs.length > 0, 'no entry is meant');
  return costs.reduce((sum: bigint, cost) => sum + (cost ?? unknownCost()), 0n);
}

function unknownCost(): never {
  throw new Error('an entry without a cost cannot be added up');
}

export function totalOfReport({ summary }: Report): bigint {
  return pico(summary.total_cost_exact);
}

/** Rows as `value → cost`, in the order of the report. */
export function rowCosts(data: readonly ReportRow[]): [string, bigint][] {
  return data.map((row) => [row.value, pico(row.total_cost_exact)]);
}

export function dearestFirst(rows: readonly (readonly [string, bigint])[]): [string, bigint][] {
  return rows.map(([value, cost]): [string, bigint] => [value, cost]).toSorted(([, a], [, b]) => (a < b ? 1 : -1));
}
