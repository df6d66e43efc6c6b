import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRIES, fromRowEntry, IDENTITY_COLUMNS, isTagKey, STORED_ENTRY_COLUMNS, tagColumn } from '../store/index.ts';
import type { IdentityRow, Params, Store } from '../store/index.ts';
import { invariant } from '#std';
import { erasedPaths, readIdentity, withoutPaths, type ErasureSubject } from './subject.ts';

/** Stores that could not be opened and were set aside, with all rows in them. How many. */
export function removeStoresAside(storeDir: string): number {
  const aside = readdirSync(storeDir).filter((name) => name.startsWith('chdb.broken-'));
  for (const name of aside) rmSync(join(storeDir, name), { recursive: true });
  return aside.length;
}

type Row = Readonly<Record<string, unknown>>;

/** Rows that are rewritten together: their new values are in memory at once, here and in the engine. */
const PAGE = 10_000;

/**
 * Erases a subject from the store's rows, to what a rebuild from the erased journal would make of them; also rows whose entries are no longer in the
 * journal. Goes on until no row is of the subject, so it can be done again after a crash. The number of rows.
 */
export async function eraseRows(store: Pick<Store, 'query' | 'identity'>, subject: ErasureSubject): Promise<number> {
  const { where, params } = conditionOf(subject);
  let rewritten = 0;
  for (;;) {
    const rows = await store.query<Row>(
      `SELECT toString(node_id) AS p_node, toString(seq) AS p_seq, ${STORED_ENTRY_COLUMNS} FROM ${ENTRIES}
        WHERE ${where} ORDER BY toString(node_id), seq LIMIT ${PAGE}`,
      params,
    );
    if (rows.length === 0) return rewritten;
    for (const [nodeId, ofNode] of Map.groupBy(rows, (row) => String(row['p_node'])))
      await store.identity.rewrite(
        nodeId,
        ofNode.map((row) => erasedRow(row, subject)),
      );
    rewritten += rows.length;
  }
}

function erasedRow(row: Row, subject: ErasureSubject): IdentityRow {
  const { fields } = fromRowEntry(row);
  const identity = readIdentity(fields);
  const paths = erasedPaths(subject, identity);
  invariant(paths.size > 0, 'a row that the store says is of the subject is of the subject');
  const erased: Row = withoutPaths(identity, paths);
  const columns = Object.fromEntries(IDENTITY_COLUMNS.map((name) => [name, erased[name]])) as Omit<IdentityRow, 'seq'>;
  return { ...columns, seq: Number(row['p_seq']) };
}

/** `isOf` of `subject.ts`, in SQL. */
function conditionOf(subject: ErasureSubject): { readonly where: string; readonly params: Params } {
  const { value } = subject;
  if (subject.kind === 'session') return { where: 'session_id = {value:String}', params: { value } };
  if (subject.kind === 'key_owner') return { where: 'key_owner = {value:String}', params: { value } };
  const { key } = subject;
  const conditions = [
    '(entity_type = {key:String} AND entity_id = {value:String})',
    'tags_overflow[{key:String}] = {value:String}',
    'arrayExists(c -> c.1 = {key:String} AND c.2 = {value:String}, tag_conflicts)',
    ...(isTagKey(key) ? [`${tagColumn(key)} = {value:String}`] : []),
  ];
  return { where: `(${conditions.join(' OR ')})`, params: { key, value } };
}
