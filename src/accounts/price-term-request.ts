import { z } from 'zod';
import { parsePriceTerm } from '#pricing';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { PRICE_TERM_KINDS, type PriceTermKind } from './price-term-record.ts';
import { makePriceTermId, type RandomBytes } from './token.ts';

/** A new price term, checked and complete. */
export type PriceTermRequest = {
  readonly id: string;
  readonly kind: PriceTermKind;
  readonly body: Readonly<Record<string, unknown>>;
};

export type PriceTermRequestDeps = {
  /** The kind an address stands for; null where the body says it, `price` if it does not. */
  readonly kind: PriceTermKind | null;
  readonly now: TimestampMs;
  readonly random: RandomBytes;
};

// `+` joins the ids of two rows that make one price.
const ID = /^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,127}$/;

const envelope = z.looseObject({
  id: z.string().regex(ID, 'letters, digits and _ . : / @ -, at most 128, a letter or digit first').optional(),
  kind: z.enum(PRICE_TERM_KINDS).optional(),
});

/**
 * Reads one price, contract or markup. What nobody has to say is filled in: an id, and that it holds from now on; a price's
 * source is the operator, today. Throws `invalid_field` naming the field.
 */
export function parsePriceTermRequest(body: unknown, deps: PriceTermRequestDeps): PriceTermRequest {
  const given = envelope.safeParse(body ?? {});
  if (!given.success) {
    const [issue] = given.error.issues;
    const param = issue?.path.join('.') ?? '';
    throw new ApportionError('invalid_field', `${param === '' ? 'The body' : param}: ${issue?.message ?? 'invalid'}.`, {
      ...(param === '' ? {} : { param }),
      hint: 'Send one price, contract or markup as a JSON object; docs/prices-api.md shows each.',
    });
  }
  const kind = given.data.kind ?? deps.kind ?? 'price';
  if (deps.kind !== null && kind !== deps.kind) {
    throw new ApportionError('invalid_field', `kind: this address takes a ${deps.kind}.`, {
      param: 'kind',
      hint: 'Leave kind out here, or send the body to POST /v1/prices.',
    });
  }
  const id = given.data.id ?? makePriceTermId(kind, deps.random);
  const now = new Date(deps.now).toISOString();
  const defaults = kind === 'price' ? { source: 'operator', checked: now.slice(0, 10) } : {};
  const term = { effective_from: now, ...defaults, ...given.data, kind, id };
  parsePriceTerm(term);
  return { id, kind, body: term };
}
