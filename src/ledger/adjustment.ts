import { z } from 'zod';
import type { TimestampMs } from '#std';
import { makeEntryId, picoUsd, ZERO_USD, type CallId, type EntryId, type PicoUsd, type TagSet } from '#terms';
import { freshSalt } from './chain/entry-salt.ts';
import { openEntry } from './entry.ts';
import type { EntryRecord } from './entry-record.ts';

/** The amounts that an adjustment may move. */
export const ADJUSTED_AMOUNTS = ['cost', 'billed', 'list_cost'] as const;

export type AdjustedAmount = (typeof ADJUSTED_AMOUNTS)[number];

/** Who moved money, why, and under which key of the asker's own: kept in the entry, which then needs no other witness. */
export type Statement = { readonly key: string; readonly actor: string; readonly reason: string };

/** What money without a call is about. What nobody said is empty. */
export type AdjustedDimensions = {
  readonly tags: TagSet;
  readonly key: { readonly id: string; readonly name: string; readonly team: string; readonly owner: string };
  readonly provider: string;
  readonly model: string;
};

/** What an adjustment is about: an attempt, under whose dimensions and time it stands, or dimensions of its own. */
export type AdjustmentSubject =
  | { readonly kind: 'entry'; readonly entry: EntryRecord; /** From 1, per entry. */ readonly n: number }
  | {
      readonly kind: 'free';
      /** `adj_…`: stands where a call's id stands otherwise. */
      readonly id: string;
      readonly effectiveAt: TimestampMs;
      readonly dimensions: AdjustedDimensions;
    };

export type Adjustment = {
  readonly subject: AdjustmentSubject;
  /** Signed. */
  readonly amount: PicoUsd;
  readonly moves: readonly AdjustedAmount[];
  readonly statement: Statement;
  readonly postedAt: TimestampMs;
};

const KIND = 'adjustment';

/**
 * Money that somebody moves by hand: a signed amount beside what calls cost. It is no call, no attempt and no correction: what an entry
 * stands at is not touched, so a repricing neither sees it nor takes it back.
 */
export function adjustmentEntry(adjustment: Adjustment): { readonly entryId: EntryId; readonly entry: string } {
  const { subject, amount, moves, statement } = adjustment;
  const moved = (name: AdjustedAmount): string => (moves.includes(name) ? amount : ZERO_USD).toString();
  const { callId, attempt, n } = placeOf(subject);
  const entryId = makeEntryId(callId, attempt, { kind: KIND, n });
  const entry = {
    ...(subject.kind === 'entry' ? subject.entry.fields : freeFields(subject)),
    // Its own: the salt of an entry would be erased there and still stand here.
    salt: freshSalt(),
    entry_id: entryId,
    kind: KIND,
    counts_call: 0,
    posted_at: new Date(adjustment.postedAt).toISOString(),
    latency_ms: 0,
    first_byte_ms: null,
    reserved: null,
    meters: {},
    usage_origin: '',
    // The words it rests on, as the provider's usage object is what an attempt rests on.
    usage_raw: JSON.stringify({ idempotency_key: statement.key, actor: statement.actor, reason: statement.reason }),
    other_usage: '',
    input_tokens: 0,
    output_tokens: 0,
    charges: [],
    // What it does not move is a known zero: an unknown list cost would be counted with the cost.
    cost: moved('cost'),
    list_cost: moved('list_cost'),
    billed: moved('billed'),
    computed_cost: null,
    price_terms: [],
    cost_state: 'exact',
    cost_reason: KIND,
    unpriced_meters: [],
    at_risk: null,
    price_book: '',
    corrects: subject.kind === 'entry' ? subject.entry.entryId : '',
    resolves: '',
    moved_cost: '0',
  };
  return { entryId, entry: JSON.stringify(entry) };
}

function placeOf(subject: AdjustmentSubject): { callId: CallId; attempt: number; n: number } {
  if (subject.kind === 'free') return { callId: subject.id as CallId, attempt: 1, n: 1 };
  return { callId: subject.entry.callId, attempt: subject.entry.attempt, n: subject.n };
}

/** Every field that an attempt's entry has, with nothing in it that only a call can say. */
function freeFields({
  id,
  effectiveAt,
  dimensions,
}: AdjustmentSubject & { readonly kind: 'free' }): Readonly<Record<string, unknown>> {
  const { tags, key, provider, model } = dimensions;
  const open = openEntry({
    callId: id as CallId,
    attempt: 1,
    startedAt: effectiveAt,
    cause: 'first',
    operation: '',
    wire: '',
    stream: false,
    key,
    tags,
    requestModel: model,
    route: '',
    provider,
    priceAs: provider,
    region: '',
    model,
    reserved: null,
  });
  return {
    ...JSON.parse(open),
    cause: '',
    status: '',
    http_status: 0,
    error_code: '',
    upstream_id: '',
    response_model: '',
    service_tier: '',
    geo: '',
  };
}

const statementSchema = z.object({ idempotency_key: z.string(), actor: z.string(), reason: z.string() });

/** What an adjustment says of itself, from its `usage_raw`. Throws what zod throws: an entry of ours that does not fit is a bug. */
export function statementOf(usageRaw: string): Statement {
  const { idempotency_key: key, actor, reason } = statementSchema.parse(JSON.parse(usageRaw));
  return { key, actor, reason };
}

/** What an adjustment moved, and by how much. */
export function movedBy(entry: EntryRecord): {
  readonly amount: PicoUsd;
  readonly moves: readonly AdjustedAmount[];
} {
  const amounts: Readonly<Record<AdjustedAmount, PicoUsd | null>> = {
    cost: entry.cost,
    billed: entry.billed,
    list_cost: entry.listCost,
  };
  const moves = ADJUSTED_AMOUNTS.filter((name) => amounts[name] !== null && amounts[name] !== 0n);
  const [first] = moves.map((name) => amounts[name]);
  return { amount: first ?? picoUsd(0n), moves };
}
