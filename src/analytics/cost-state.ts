import { ENTRIES, IS_UNSETTLED, SUMMED, UNSETTLED } from '#ledger/store';
import type { Bindings } from './bindings.ts';
import { ORDER, stateColumn } from './built-in.ts';
import { valueOf } from './grouping.ts';
import { withinPeriod } from './period.ts';
import { fromSource, type Asked, type Source } from './summed.ts';

/** The state of an entry as its last correction left it, as column `g`. */
export const STATE_BY_NOW: Source = {
  ...valueOf('cost_state', "nullIf(toString(cost_state), '')"),
  corrected: {
    entry: ({ filter, asOf }, bindings) => stateColumn({ period: filter.period, asOf }, bindings),
    from: fromMoved,
  },
};

/** Attempts in a state that corrections put an end to, as `g`, one by one. */
const UNSETTLED_ATTEMPTS = valueOf('unsettled', `if(${IS_UNSETTLED}, entry_id, NULL)`, [
  { as: 'own', entry: 'toString(cost_state)', sum: 'toString(detail)' },
]);

const MEASURED = SUMMED.join(', ');
const ADDED_UP = SUMMED.map((name) => `sum(${name}) AS s_${name}`).join(', ');
const NAMED_AGAIN = SUMMED.map((name) => `s_${name} AS ${name}`).join(', ');
const MOVED = SUMMED.map((name) => `${name} * move.2 AS ${name}`).join(', ');

/**
 * Entries are in the sums of the state they say themselves. What a correction moved is taken from there and put where it belongs by now: the
 * attempt it corrects, and other corrections of that. They are few, and found in the sums one by one, or by the hour they are in.
 */
function fromMoved(asked: Asked, from: string, bindings: Bindings): string {
  const within = withinPeriod(asked.filter.period, asked.asOf, bindings.bind);
  const moves = `(SELECT corrects AS subject, argMax(toString(cost_state), ${ORDER}) AS state,
      argMinIf(toString(resolves), ${ORDER}, resolves != '') AS before, any(toStartOfHour(effective_at)) AS hour
    FROM ${ENTRIES} WHERE kind = 'correction' AND ${within} GROUP BY corrects HAVING countIf(resolves != '') > 0)`;
  const unsettled = UNSETTLED.map((state) => `'${state}'`).join(', ');
  const rows = `SELECT assumeNotNull(g) AS id, own, quarter, ${MEASURED}
      ${fromSource(asked, UNSETTLED_ATTEMPTS).sql(bindings)} WHERE isNotNull(g)
    UNION ALL SELECT entry_id AS id, toString(cost_state) AS own, quarter, ${MEASURED} FROM ${ENTRIES}
      WHERE ${within} AND kind = 'attempt' AND cost_state NOT IN (${unsettled})
        AND (toStartOfHour(effective_at), entry_id) IN (SELECT hour, subject FROM ${moves} WHERE before NOT IN (${unsettled}))
    UNION ALL SELECT corrects AS id, toString(cost_state) AS own, quarter, ${MEASURED} FROM ${ENTRIES}
      WHERE ${within} AND kind = 'correction'`;
  const moved = `SELECT toNullable(move.1) AS g, quarter, ${MOVED} FROM (SELECT own, state, quarter, ${MEASURED}
      FROM (${rows}) AS moving INNER JOIN ${moves} AS moves ON moving.id = moves.subject WHERE own != state)
    ARRAY JOIN [(own, -1), (state, 1)] AS move`;
  return `FROM (SELECT g, quarter, ${NAMED_AGAIN} FROM (SELECT g, quarter, ${ADDED_UP}
    FROM (SELECT g, quarter, ${MEASURED} ${from} UNION ALL ${moved}) GROUP BY g, quarter HAVING s_entry_count != 0))`;
}
