import { ENTRIES, isCellTable, tagColumn } from '#ledger/store';
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
  const condition = conditionOf(reach);
  const filter = condition.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  const { cells } = store;
  // Without `sums`: those do not tell whose an entry is. Cells do, if they are asked for by this as well.
  return {
    asOf: () => store.asOf(),
    detailKept: () => store.detailKept?.() ?? null,
    ...(cells !== undefined && { cells: (sql, per, asOf) => cells(`${sql} ${condition}`, per, asOf) }),
    ...(store.wide !== undefined && { wide: store.wide }),
    query: (sql, params, options) => {
      const filters = tablesIn(sql).map((table) => `'${table}': '${filter}'`);
      return store.query(`${sql} SETTINGS additional_table_filters = {${filters.join(', ')}}`, params, options);
    },
  };
}

/** The tables that a statement reads, all of which can be narrowed. */
function tablesIn(sql: string): readonly string[] {
  const tables = new Set([ENTRIES]);
  for (const [, from, join] of sql.matchAll(TABLE_NAME)) {
    const table = from ?? join ?? '';
    invariant(
      table === ENTRIES || isCellTable(table),
      `the table ${table} is read by a report that must not show all of it`,
    );
    tables.add(table);
  }
  return [...tables];
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
