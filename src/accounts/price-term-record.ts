import { type TimestampMs } from '#std';

export const PRICE_TERM_KINDS = ['price', 'contract', 'markup'] as const;

/** A price of the operator's own, an agreement with a provider, or what is charged on. */
export type PriceTermKind = (typeof PRICE_TERM_KINDS)[number];

/** One thing the operator said about prices. It is never changed: what is different is said in a new one. Plain JSON. */
export type StoredPriceTerm = {
  /** Entries name it for ever; the id of a deleted one is not used again. */
  readonly id: string;
  readonly kind: PriceTermKind;
  /** As #pricing reads it, with kind, id and dates. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly createdAt: TimestampMs;
  /** Who said it: `admin_key` or `dashboard`. */
  readonly createdBy: string;
  /** Deleted ones price nothing, the past included; the row stays for the record. */
  readonly deletedAt: TimestampMs | null;
  /** The control-plane revision of its last change. */
  readonly revision: number;
};
