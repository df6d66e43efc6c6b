import { type Selectable } from 'kysely';
import { invariant, type TimestampMs } from '#std';
import { type PriceTermTable } from './database.ts';
import { type ControlQueries } from './key-table.ts';
import { PRICE_TERM_KINDS, type PriceTermKind, type StoredPriceTerm } from './price-term-record.ts';

/** Inserts the term, or replaces the row of that id. */
export async function putPriceTerm(database: ControlQueries, term: StoredPriceTerm): Promise<void> {
  const row = toRow(term);
  await database
    .insertInto('price_terms')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

/** The term of that id, deleted or not. */
export async function findPriceTerm(database: ControlQueries, id: string): Promise<StoredPriceTerm | undefined> {
  const row = await database.selectFrom('price_terms').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Those that are not deleted, newest first, which is the order in which they hold. */
export async function listPriceTerms(database: ControlQueries): Promise<StoredPriceTerm[]> {
  const rows = await database
    .selectFrom('price_terms')
    .selectAll()
    .where('deleted_at', 'is', null)
    .orderBy('revision', 'desc')
    .execute();
  return rows.map(fromRow);
}

function toRow(term: StoredPriceTerm): Selectable<PriceTermTable> {
  return {
    id: term.id,
    kind: term.kind,
    body: JSON.stringify(term.body),
    created_at: term.createdAt,
    created_by: term.createdBy,
    deleted_at: term.deletedAt,
    revision: term.revision,
  };
}

function fromRow(row: Selectable<PriceTermTable>): StoredPriceTerm {
  const body: unknown = JSON.parse(row.body);
  invariant(typeof body === 'object' && body !== null, `the price term ${row.id} is not an object`);
  return {
    id: row.id,
    kind: kindOf(row),
    body: { ...body },
    createdAt: Number(row.created_at) as TimestampMs,
    createdBy: row.created_by,
    deletedAt: row.deleted_at === null ? null : (Number(row.deleted_at) as TimestampMs),
    revision: Number(row.revision),
  };
}

function kindOf({ id, kind }: Selectable<PriceTermTable>): PriceTermKind {
  const known = PRICE_TERM_KINDS.find((one) => one === kind);
  invariant(known !== undefined, `the price term ${id} is of a kind this version does not know: ${kind}`);
  return known;
}
