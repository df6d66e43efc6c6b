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
import { freshSalt } from './chain/entry-salt.ts';
import { toChargeLine } from './charge-line.ts';

/** Version of the row below. Readers accept every released version; a new field needs no new version, a changed one does. */
export const ENTRY_SCHEMA = 1;

/** What is known when an attempt starts. Written as the intent, before the upstream is called. */
export type AttemptStart = {
  readonly callId: CallId;
  /** 1 for the first try of a call. */
  readonly attempt: number;
  readonly startedAt: TimestampMs;
  /** Why there is this attempt: the first, again after a failure that cost nothing, or another model in its place. */
  readonly cause: 'first' | 'retry' | 'fallback';
  /** OpenTelemetry `gen_ai.operation.name`, e.g. `chat`. */
  readonly operation: string;
  /** The format its usage is written in, e.g. `openai.chat`: what reads `usage_raw` again. */
  readonly wire: string;
  readonly stream: boolean;
  readonly key: { readonly id: string; readonly name: string; readonly team: string; readonly owner: string };
  readonly tags: TagSet;
  /** The model as the caller wrote it. */
  readonly requestModel: string;
  /** The route of the settings that the caller's model named; empty when it named a model itself. */
  readonly route: string;
  /** The configured provider that is called; `priceAs` is the provider whose list prices it. */
  readonly provider: string;
  readonly priceAs: string;
  /** Where the provider serves from, if the settings say so. */
  readonly region: string;
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
  /** No other attempt of the call follows: this one counts the call. */
  readonly last: boolean;
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
    // For the digests of whatever names somebody below; gone when that is erased.
    salt: freshSalt(),
    call_id: start.callId,
    attempt: start.attempt,
    effective_at: new Date(start.startedAt).toISOString(),
    cause: start.cause,
    operation: start.operation,
    wire: start.wire,
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
    route: start.route,
    provider: start.provider,
    price_as: start.priceAs,
    region: start.region,
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
  const others = end.usage?.others ?? [];
  const inDoubt = end.rated.state === 'in_doubt';
  return append(open, {
    entry_id: makeEntryId(start.callId, start.attempt, { kind: 'attempt', n: 0 }),
    kind: 'attempt',
    counts_call: end.last ? 1 : 0,
    posted_at: new Date(end.endedAt).toISOString(),
    status: end.status,
    http_status: end.httpStatus,
    error_code: end.errorCode,
    upstream_id: end.upstreamId,
    response_model: end.responseModel,
    service_tier: end.usage?.serviceTier ?? '',
    geo: end.usage?.geo ?? '',
    latency_ms: Math.round(end.latencyMs),
    first_byte_ms: end.firstByteMs === null ? null : Math.round(end.firstByteMs),
    meters,
    usage_origin: end.usage?.origin ?? '',
    usage_raw: end.usage?.raw ?? '',
    other_usage: others.length === 0 ? '' : JSON.stringify(others),
    input_tokens: others.reduce((sum, other) => sum + inputTokens(other.meters), inputTokens(meters)),
    output_tokens: others.reduce((sum, other) => sum + outputTokens(other.meters), outputTokens(meters)),
    charges: end.rated.charges.map(toChargeLine),
    cost: picoText(end.rated.cost),
    list_cost: picoText(end.rated.listCost),
    billed: picoText(end.rated.billed),
    computed_cost: picoText(end.rated.computedCost),
    price_terms: end.rated.terms,
    cost_state: end.rated.state,
    cost_reason: end.rated.reason ?? '',
    unpriced_meters: end.rated.unpricedMeters,
    at_risk: inDoubt && start.reserved !== null ? start.reserved.toString() : null,
    price_book: end.priceBook,
    corrects: '',
    resolves: '',
    moved_cost: '0',
  });
}

function picoText(amount: PicoUsd | null): string | null {
  return amount === null ? null : amount.toString();
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
    // Attempts of a call follow one another: one that never ended is the last.
    counts_call: 1,
    posted_at: new Date(postedAt).toISOString(),
    status: 'interrupted',
    http_status: 0,
    error_code: lostBy,
    upstream_id: '',
    response_model: '',
    service_tier: '',
    geo: '',
    latency_ms: 0,
    first_byte_ms: null,
    meters: {},
    usage_origin: '',
    usage_raw: '',
    other_usage: '',
    input_tokens: 0,
    output_tokens: 0,
    charges: [],
    cost: null,
    list_cost: null,
    billed: null,
    computed_cost: null,
    price_terms: [],
    cost_state: 'in_doubt',
    cost_reason: lostBy,
    unpriced_meters: [],
    at_risk: start.reserved,
    price_book: '',
    corrects: '',
    resolves: '',
    moved_cost: '0',
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
