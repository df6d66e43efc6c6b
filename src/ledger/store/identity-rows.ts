import { bind } from './bind.ts';
import type { Connection } from './connection.ts';
import { INSERT_SETTINGS } from './insert.ts';
import { untilRewritten } from './mutation.ts';
import { ENTRIES, ENTRY_COLUMNS, type EntryColumn } from './schema.ts';

/** The columns that may name somebody, as `chain/identity.ts` names an entry's values. None is part of the table's order. */
export const IDENTITY_COLUMNS = [
  'key_name',
  'key_owner',
  'entity_id',
  'session_id',
  'session_path',
  'trace_id',
  'tags',
  'labels',
  'paths',
  'tag_conflicts',
  'tags_overflow',
  'tags_sent',
  'usage_raw',
] as const satisfies readonly EntryColumn[];

export type IdentityColumn = (typeof IDENTITY_COLUMNS)[number];

/** What the identifying columns of a row shall be. */
export type IdentityRow = { readonly seq: number } & Readonly<Record<IdentityColumn, unknown>>;

export type IdentityStore = {
  /** Puts other values into rows of a node. Each part of the table changes at once for whoever asks; can be repeated. */
  rewrite(nodeId: string, rows: readonly IdentityRow[]): Promise<void>;
  /** Removes parts that the engine set aside because they were damaged, with all rows in them. */
  dropDetached(): Promise<void>;
  /** Files that the engine has put aside, with values as they were before: it keeps them for eight minutes, from now on for a second. */
  replacedFiles(): Promise<readonly string[]>;
  /** To be called when they are gone. */
  keepReplacedFiles(): Promise<void>;
};

/** Holds the new values while they are put in; no row of it has a value that is to be erased. */
type Erasing = { readonly table: string; readonly create: string; readonly rewrite: string };

function erasingIn(table: string): Erasing {
  const numbers = `(SELECT groupArray(seq) FROM (SELECT seq FROM ${table} ORDER BY seq))`;
  const newValue = (column: IdentityColumn): string => {
    const values = `(SELECT groupArray(${column}) FROM (SELECT ${column} FROM ${table} ORDER BY seq))`;
    return `${column} = ${values}[transform(seq, ${numbers}, arrayEnumerate(${numbers}), 0)]`;
  };
  return {
    table,
    create: `CREATE TABLE ${table} (seq UInt64,
${IDENTITY_COLUMNS.map((name) => `  ${name} ${ENTRY_COLUMNS[name]}`).join(',\n')}
) ENGINE = MergeTree ORDER BY seq`,
    // Not as a condition on the values: an `UPDATE` is kept as text in a file beside the table. And not computed in the engine: a JSON
    // column made from text there reads dates as dates, whatever the settings, and `.:String` is then NULL. Arrays of the new values keep
    // their types.
    rewrite: `ALTER TABLE ${ENTRIES} UPDATE ${IDENTITY_COLUMNS.map(newValue).join(', ')}
WHERE node_id = {node:String} AND seq IN (SELECT seq FROM ${table})
SETTINGS mutations_sync=0, mutations_execute_subqueries_on_initiator=0`,
  };
}

/** @param owner tells those apart who erase from the same tables at the same time; empty where there is one */
export function identityRows(writer: Connection, owner = ''): IdentityStore {
  const erasing = erasingIn(`${ENTRIES}_erasing${owner}`);
  let shortened = false;
  return {
    async rewrite(nodeId, rows) {
      // One of a process that died goes on, and needs its table.
      await untilRewritten(writer, ENTRIES);
      await writer.run(`DROP TABLE IF EXISTS ${erasing.table} SYNC`);
      await writer.run(erasing.create);
      const lines = rows.map((row) => JSON.stringify(row)).join('\n');
      await writer.run(`INSERT INTO ${erasing.table} SETTINGS ${INSERT_SETTINGS} FORMAT JSONEachRow\n${lines}`);
      await writer.run(bind(erasing.rewrite, { node: nodeId }));
      await untilRewritten(writer, ENTRIES);
      await writer.run(`DROP TABLE ${erasing.table} SYNC`);
    },
    async replacedFiles() {
      if (!shortened) await writer.run(`ALTER TABLE ${ENTRIES} MODIFY SETTING old_parts_lifetime = 1`);
      shortened = true;
      // Of all tables: what is worked out from entries has their values too.
      const parts = await writer.rows<{ name: string }>(
        `SELECT concat(table, '/', name) AS name FROM system.parts WHERE database = currentDatabase() AND NOT active`,
      );
      return parts.map(({ name }) => name);
    },
    async dropDetached() {
      await writer.run(`ALTER TABLE ${ENTRIES} DROP DETACHED PARTITION ALL SETTINGS allow_drop_detached=1`);
    },
    async keepReplacedFiles() {
      await writer.run(`ALTER TABLE ${ENTRIES} RESET SETTING old_parts_lifetime`);
      shortened = false;
    },
  };
}
