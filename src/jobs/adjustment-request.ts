import type { AdjustedAmount } from '#ledger';
import type { TimestampMs } from '#std';
import type { PicoUsd } from '#terms';

/** What money is about: a call or one of its entries, or dimensions of its own. */
export type AdjustmentAbout =
  | { readonly kind: 'call'; /** A call's id, or an entry's. */ readonly id: string }
  | {
      readonly kind: 'dimensions';
      readonly entity: { readonly type: string; readonly id: string } | null;
      /** An array of tags or an object, as a call sends them. */
      readonly tags: unknown;
      readonly labels: readonly string[];
      readonly provider: string;
      readonly model: string;
      /** A key by id, alias or token; empty for none. */
      readonly key: string;
      /** The team it is booked on; null for that of the key. */
      readonly team: string | null;
      /** Null for now. */
      readonly effectiveAt: TimestampMs | null;
    };

export type AdjustmentRequest = {
  /** Signed, and not zero. */
  readonly amount: PicoUsd;
  readonly moves: readonly AdjustedAmount[];
  readonly reason: string;
  /** The asker's own name for it: what is asked for twice under one is booked once. */
  readonly idempotencyKey: string;
  readonly about: AdjustmentAbout;
  readonly actor: string;
};

export type AdjustmentListRequest = {
  readonly limit: number;
  /** `next_cursor` of the page before. */
  readonly cursor: string | null;
  /** Only those about this call. */
  readonly callId: string | null;
};

export type Adjustments = {
  /** Books it, or finds that it is booked. */
  add(request: AdjustmentRequest): Promise<WireAdjustment>;
  /** Newest first. */
  list(request: AdjustmentListRequest): Promise<WireAdjustmentList>;
};

export type WireAdjustment = {
  readonly object: 'adjustment';
  readonly id: string;
  readonly idempotency_key: string;
  readonly amount_usd: string;
  readonly fields: readonly AdjustedAmount[];
  readonly reason: string;
  readonly actor: string;
  /** What it is about, where that is a call. */
  readonly call_id: string | null;
  readonly entry_id: string | null;
  readonly effective_at: string;
  readonly recorded_at: string;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  readonly provider: string | null;
  readonly model: string | null;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly key_team: string | null;
};

export type WireAdjustmentList = {
  readonly object: 'list';
  readonly data: readonly WireAdjustment[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
};
