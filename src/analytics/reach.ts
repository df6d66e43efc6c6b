import { ENTRIES, tagColumn } from '#ledger/store';
import type { Reach } from '#accounts';
import { invariant } from '#std';
import type { StoreReader } from './reader.ts';

/** What stands behind FROM or JOIN and is a name: of a table, or of nothing that this knows. */
const TABLE_NAME = /\bFROM\s+([A-Za-z_][\w.]*)|(?<!\bARRAY\s+)\bJOIN\s+([A-Za-z_][\w.]*)/gi;

/**
 * The store as somebody may see it: the engine itself leaves out every other entry, in every statement and subquery, so no parameter and
 * no report can reach further. A table this does not know how to narrow is a bug, and answers nothing.
 */
export function withinReach(store: StoreReader, reach: Reach): StoreReader {
  if (reach.kind === 'everything') return store;
  const filter = conditionOf(reach).replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const settings = `SETTINGS additional_table_filters = {'${ENTRIES}': '${filter}'}`;
  // Without `sums`: those are of everybody's entries.
  return {
    asOf: () => store.asOf(),
    detailKept: () => store.detailKept?.() ?? null,
    query: (sql, params, options) => {
      for (const [, from, join] of sql.matchAll(TABLE_NAME)) {
        const table = from ?? join;
        invariant(table === ENTRIES, `the table ${table} is read by a report that must not show all of it`);
      }
      return store.query(`${sql} ${settings}`, params, options);
    },
  };
}

function conditionOf({ teams, entities }: Exclude<Reach, { kind: 'everything' }>): string {
  const ofTeams = teams === null ? [] : [anyOf(teams.map((team) => `key_team = ${text(team)}`))];
  const ofEntities =
    entities === null ? [] : [anyOf(entities.map(({ type, id }) => `ifNull(${tagColumn(type)} = ${text(id)}, 0)`))];
  return [...ofTeams, ...ofEntities].join(' AND ') || '0';
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}

/** Only hexadecimal digits of a name are in the text: nothing in it can end a literal within a literal. */
function text(name: string): string {
  return `unhex('${Buffer.from(name).toString('hex')}')`;
}
