import { ENTRIES, type AsOf } from '#ledger/store';
import { COST_STATES } from '#terms';
import type { Bindings } from './bindings.ts';
import { withinPeriod, type Period } from './period.ts';

/** Columns that every entry has a value in, or none: what a report can be filtered by and broken down by as they stand. */
export const BUILT_INS = ['route', 'operation', 'cause', 'region', 'service_tier', 'kind'] as const;

export type BuiltIn = (typeof BUILT_INS)[number];

/** The n in the id of a correction. */
export const ORDER = "toUInt32OrZero(splitByChar('.', entry_id)[4])";

/**
 * The state of an entry as its last correction left it, the same on the entry and its corrections. A correction is at the time of
 * what it corrects, so it is in the same period.
 */
export function stateColumn(
  { period, asOf }: { readonly period: Period; readonly asOf: AsOf },
  { bind }: Bindings,
): string {
  const subject = "if(kind = 'correction', corrects, entry_id)";
  const within = withinPeriod(period, asOf, bind);
  const correctedTo = (state: string): string =>
    `${subject} IN (SELECT corrects FROM ${ENTRIES} WHERE kind = 'correction' AND ${within} GROUP BY corrects
      HAVING argMax(cost_state, ${ORDER}) = '${state}'), '${state}'`;
  return `multiIf(${COST_STATES.map(correctedTo).join(', ')}, toString(cost_state))`;
}
