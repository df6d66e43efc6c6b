import type { StoredPriceTerm } from '#accounts';
import type { TimestampMs } from '#std';
import type { FileTerms } from './current-prices.ts';
import { toWireInstant } from './instant.ts';

type TermEnds = ReadonlyMap<string, TimestampMs | null>;

/** One thing the operator said about prices, in the words it was said in. */
export type WirePriceTerm = Readonly<Record<string, unknown>> & {
  readonly object: 'price_term';
  readonly id: string;
  readonly kind: string;
  /** When it ends: as it says itself, or where a newer one takes its place. */
  readonly effective_to: string | null;
  /** Where a term of the configuration file stands; null for one said through the API. */
  readonly file: string | null;
  /** False for a term of the file: it is changed there. */
  readonly deletable: boolean;
  readonly created_at: string | null;
  readonly created_by: string | null;
  readonly deleted_at: string | null;
};

export function toWireStoredTerm(term: StoredPriceTerm, ends: TermEnds): WirePriceTerm {
  const { id, kind, body, createdAt, createdBy, deletedAt } = term;
  return {
    ...body,
    object: 'price_term',
    id,
    kind,
    effective_to: endOf({ id, body }, ends),
    file: null,
    deletable: deletedAt === null,
    created_at: toWireInstant(createdAt),
    created_by: createdBy,
    deleted_at: toWireInstant(deletedAt),
  };
}

/** Terms of the file, which the start has already read: each is an object. */
export function toWireFileTerms({ terms: given, places }: FileTerms, ends: TermEnds): WirePriceTerm[] {
  return given.flatMap((one, index) => {
    if (typeof one !== 'object' || one === null) return [];
    const body = { ...one } as Readonly<Record<string, unknown>>;
    const id = typeof body['id'] === 'string' ? body['id'] : '';
    return {
      effective_from: null,
      ...body,
      object: 'price_term',
      id,
      kind: typeof body['kind'] === 'string' ? body['kind'] : 'price',
      effective_to: endOf({ id, body }, ends),
      file: places[`prices[${index}]`] ?? '',
      deletable: false,
      created_at: null,
      created_by: null,
      deleted_at: null,
    };
  });
}

function endOf(
  { id, body }: { readonly id: string; readonly body: StoredPriceTerm['body'] },
  ends: TermEnds,
): string | null {
  const end = ends.get(id);
  if (end !== undefined) return toWireInstant(end);
  // A deleted one has no end among those that hold.
  const stated = body['effective_to'];
  return typeof stated === 'string' ? stated : null;
}
