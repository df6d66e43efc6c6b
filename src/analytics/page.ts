import type { Parameters } from './parameters.ts';

/** A page of a list, as InfraPrism numbers it. */
export type Page = { readonly limit: number; readonly offset: number };

export const PAGE_PARAMETERS = ['limit', 'offset'] as const;

const LIMIT = { least: 1, most: 1000, otherwise: 100 } as const;
const OFFSET = { least: 0, most: 100_000_000, otherwise: 0 } as const;

export function parsePage(parameters: Parameters): Page {
  return { limit: parameters.whole('limit', LIMIT), offset: parameters.whole('offset', OFFSET) };
}

export type WirePagination = {
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly has_more: boolean;
};

export function toWirePagination({ limit, offset }: Page, total: number): WirePagination {
  return { total, limit, offset, has_more: offset + limit < total };
}
