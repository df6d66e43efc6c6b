import {
  inputTokens,
  makeEntryId,
  outputTokens,
  type CallId,
  type PicoUsd,
  type RatedCost,
  type TagSet,
  type Usage,
} from '#terms';
import { invariant, type TimestampMs } from '#std';

/** Version of the row below. Readers accept every released version; a new field needs no new version, a changed one does. */
export const ENTRY_SCHEMA = 1;

/** What is known when an attempt starts. Written as the intent, before the upstream is called. */
export type AttemptStart = {
  readonly callId: CallId;
  /** 1 for the first try of a call. */
  readonly attempt: number;
  readonly startedAt: TimestampMs;
  /** OpenTelemetry `gen_ai.operation.name`, e.g. `chat`. */
  readonly operation: string;
  readonly stream: boolean;
  readonly key: { readonly id: string; readonly name: string; readonly team: string; readonly owner: string };
  readonly tags: TagSet;
  /** The model as the caller wrote it. */
  readonly requestModel: string;
  readonly provider: string;
  /** The model name sent to the provider. */
  readonly model: string;
  /** The provable upper bound of the attempt's cost; null when it cannot be bounded. */
  readonly reserved: PicoUsd | null;
};

/** How an attempt ended; recovery writes `interrupted` for one that never did. */
export type AttemptStatus =
  | 'ok'
  | 'client_closed'
  | 'upstream_error'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'upstream_broken';

/** What is known when an attempt ends. */
export type AttemptEnd = {
  readonly endedAt: TimestampMs;
  readonly status: AttemptStatus;
  /** The upstream's HTTP status; 0 when it never answered. */
  readonly httpStatus: number;
  readonly errorCode: string;
  /** The `id` in the answer's body (`chatcmpl-…`), LiteLLM's `request_id`. */
  readonly upstreamId: string;
  readonly responseModel: string;
  readonly latencyMs: number;
  /** Milliseconds to the first byte of the answer's body; null when none came. */
  readonly firstByteMs: number | null;
  readonly usage: Usage | null;
  readonly rated: RatedCost;
  readonly priceBook: string;
};

/**
 * The intent as JSON text. Its fields are the first half of the entry, so they are serialised once: `closeEntry` appends
 * the second half to the same text.
 */
export function openEntry(start: AttemptStart): string {
  const { tags } = start;
  return JSON.stringify({
    schema: ENTRY_SCHEMA,
    call_id: start.callId,
    attempt: start.attempt,
    effective_at: new Date(start.startedAt).toISOString(),
    operation: start.operation,
    stream: start.stream ? 1 : 0,
    key_id: start.key.id,
    key_name: start.key.name,
    key_team: start.key.team,
    key_owner: start.key.owner,
    entity_type: tags.entity?.type ?? '',
    entity_id: tags.entity?.id ?? '',
    session_id: tags.sessionId ?? '',
    session_path: tags.sessionPath ?? '',
    trace_id: tags.traceId ?? '',
    tags: Object.fromEntries(Array.from(tags.dimensions, ([key, { value }]) => [key, value])),
    tag_provenance: Object.fromEntries(Array.from(tags.dimensions, ([key, { provenance }]) => [key, provenance])),
    labels: tags.labels,
    paths: tags.paths,
    tag_conflicts: tags.conflicts,
    tags_overflow: Object.fromEntries(tags.overflow),
    tags_sent: tags.sent,
    request_model: start.requestModel,
    provider: start.provider,
    model: start.model,
    reserved: start.reserved === null ? null : start.reserved.toString(),
  });
}

/** The whole entry as one line of JSON. Money fields are strings of integer pico-dollars. */
export function closeEntry(
  open: string,
  start: Pick<AttemptStart, 'callId' | 'attempt' | 'reserved'>,
  end: AttemptEnd,
): string {
  const meters = end.usage?.meters ?? {};
  const inDoubt = end.rated.state === 'in_doubt';
  return append(open, {
    entry_id: makeEntryId(start.callId, start.attempt, { kind: 'attempt', n: 0 }),
    kind: 'attempt',
    counts_call: start.attempt === 1 ? 1 : 0,
    posted_at: new Date(end.endedAt).toISOString(),
    status: end.status,
    http_status: end.httpStatus,
    error_code: end.errorCode,
    upstream_id: end.upstreamId,
    response_model: end.responseModel,
    service_tier: end.usage?.serviceTier ?? '',
    latency_ms: Math.round(end.latencyMs),
    first_byte_ms: end.firstByteMs === null ? null : Math.round(end.firstByteMs),
    meters,
    usage_origin: end.usage?.origin ?? '',
    usage_raw: end.usage?.raw ?? '',
    input_tokens: inputTokens(meters),
    output_tokens: outputTokens(meters),
    charges: end.rated.charges.map((charge) => ({
      meter: charge.meter,
      quantity: String(charge.quantity),
      unit_amount: charge.unitPrice.amount,
      unit_per: charge.unitPrice.per,
      amount: charge.amount.toString(),
      price_row: charge.priceRow,
    })),
    cost: end.rated.cost === null ? null : end.rated.cost.toString(),
    cost_state: end.rated.state,
    cost_reason: end.rated.reason ?? '',
    unpriced_meters: end.rated.unpricedMeters,
    at_risk: inDoubt && start.reserved !== null ? start.reserved.toString() : null,
    price_book: end.priceBook,
  });
}

/** Why an attempt has no end: its process died, or failed in the middle of it. */
export type LostBy = 'gateway_crashed' | 'gateway_failed';

/**
 * The entry of an attempt that began and whose end is unknown. What it cost is unknown too; `at_risk` says how much at most.
 */
export function closeInDoubt(open: string, postedAt: TimestampMs, lostBy: LostBy): string {
  const start = parseOpen(JSON.parse(open));
  return append(open, {
    entry_id: makeEntryId(start.callId, start.attempt, { kind: 'attempt', n: 0 }),
    kind: 'attempt',
    counts_call: start.attempt === 1 ? 1 : 0,
    posted_at: new Date(postedAt).toISOString(),
    status: 'interrupted',
    http_status: 0,
    error_code: lostBy,
    upstream_id: '',
    response_model: '',
    service_tier: '',
    latency_ms: 0,
    first_byte_ms: null,
    meters: {},
    usage_origin: '',
    usage_raw: '',
    input_tokens: 0,
    output_tokens: 0,
    charges: [],
    cost: null,
    cost_state: 'in_doubt',
    cost_reason: lostBy,
    unpriced_meters: [],
    at_risk: start.reserved,
    price_book: '',
  });
}

function parseOpen(json: unknown): { callId: CallId; attempt: number; reserved: string | null } {
  invariant(typeof json === 'object' && json !== null, 'an intent is a JSON object');
  invariant('call_id' in json && typeof json.call_id === 'string', 'an intent names its call');
  invariant('attempt' in json && typeof json.attempt === 'number', 'an intent numbers its attempt');
  invariant(
    'reserved' in json && (json.reserved === null || typeof json.reserved === 'string'),
    'an intent says what is reserved',
  );
  return { callId: json.call_id as CallId, attempt: json.attempt, reserved: json.reserved };
}

function append(open: string, rest: Readonly<Record<string, unknown>>): string {
  return `${open.slice(0, -1)},${JSON.stringify(rest).slice(1)}`;
}
