import { ApportionError } from '#terms';

/** Newest first; `cursor` is the one that the page before ended with. */
export type PageAsk = { readonly limit: number; readonly cursor: string | null };

export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null };

/** Where a page begins: time and id of the last row before it. */
export type Place = { readonly at: number; readonly id: string };

export function parsePlace(cursor: string | null): Place | null {
  if (cursor === null) return null;
  const [, at, id] = /^(\d{1,15})_(al[ed]_[0-9a-f]{32})$/.exec(cursor) ?? [];
  if (at !== undefined && id !== undefined) return { at: Number(at), id };
  throw new ApportionError('invalid_query', '"cursor" is none of this list.', {
    param: 'cursor',
    hint: 'Give the next_cursor of the page before, or leave it out.',
  });
}

/** @param rows one more than asked, if there are more */
export function pageOf<T>(rows: readonly T[], limit: number, placeOf: (row: T) => Place): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items, nextCursor: null };
  const { at, id } = placeOf(last);
  return { items, nextCursor: `${at}_${id}` };
}
