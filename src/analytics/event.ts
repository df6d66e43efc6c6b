import { invariant } from '#std';
import { formatUsd, sumUsd, usdNumber, type PicoUsd } from '#terms';
import { tagKeyOfPath } from '#ledger/store';
import { countOf, countOrNull, moneyOrNull, picoOf, textOf, textOrNull, textsOf, type Row } from './reader.ts';

/** One attempt as InfraPrism's events show it, and what more the ledger knows. */
export type WireEvent = {
  /** The call's id. A call that was tried again has an event per attempt; `entry_id` tells them apart. */
  readonly id: string;
  readonly entry_id: string;
  readonly attempt: number;
  readonly timestamp: string;
  readonly model: string;
  readonly request_model: string;
  readonly provider: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Null when the cost is not known: see `cost_state`. */
  readonly cost_usd: number | null;
  readonly cost_usd_exact: string | null;
  readonly cost_state: string;
  readonly latency_ms: number;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly session_id: string | null;
  /** The step of its run, `plan/search`. */
  readonly session_path: string | null;
  readonly trace_id: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  /** The tags as they were sent. */
  readonly request_tags: readonly string[];
  readonly key_id: string;
  readonly key_name: string;
  readonly status: string;
  readonly success: boolean;
  readonly stream: boolean;
  readonly sandbox: boolean;
};

export const EVENT_COLUMNS = [
  'call_id',
  'entry_id',
  'attempt',
  'toUnixTimestamp64Milli(effective_at) AS x_at_ms',
  'model',
  'request_model',
  'provider',
  'input_tokens',
  'output_tokens',
  'toString(cost) AS x_cost',
  'cost_state',
  'latency_ms',
  'entity_type',
  'entity_id',
  'session_id',
  'session_path',
  'trace_id',
  'toJSONString(tags) AS x_tags',
  'labels',
  'paths',
  'tags_sent',
  'key_id',
  'key_name',
  'status',
  'stream',
].join(', ');

export function toWireEvent(row: Row): WireEvent {
  const provider = textOf(row, 'provider');
  const status = textOf(row, 'status');
  return {
    id: textOf(row, 'call_id'),
    entry_id: textOf(row, 'entry_id'),
    attempt: countOf(row, 'attempt'),
    timestamp: isoOf(row, 'x_at_ms'),
    model: textOf(row, 'model'),
    request_model: textOf(row, 'request_model'),
    provider,
    input_tokens: countOf(row, 'input_tokens'),
    output_tokens: countOf(row, 'output_tokens'),
    ...toWireCost(row),
    latency_ms: countOf(row, 'latency_ms'),
    entity_type: filledOrNull(row, 'entity_type'),
    entity_id: filledOrNull(row, 'entity_id'),
    session_id: filledOrNull(row, 'session_id'),
    session_path: filledOrNull(row, 'session_path'),
    trace_id: filledOrNull(row, 'trace_id'),
    tags: tagObject(row, 'x_tags'),
    labels: textsOf(row, 'labels'),
    paths: textsOf(row, 'paths'),
    request_tags: textsOf(row, 'tags_sent'),
    key_id: textOf(row, 'key_id'),
    key_name: textOf(row, 'key_name'),
    status,
    success: status === 'ok',
    stream: countOf(row, 'stream') === 1,
    sandbox: provider === 'sandbox',
  };
}

type WireCost = Pick<WireEvent, 'cost_usd' | 'cost_usd_exact' | 'cost_state'>;

function toWireCost(row: Row): WireCost {
  const cost = moneyOrNull(row, 'x_cost');
  return { cost_usd: numberOrNull(cost), cost_usd_exact: exactOrNull(cost), cost_state: textOf(row, 'cost_state') };
}

/** What `GET /v1/events/{id}` adds: how the cost came about, and where each tag came from. */
export type WireEventDetail = WireEvent & {
  /** Every entry of the call: its attempts in order, then what was corrected later. */
  readonly attempts: readonly WireAttempt[];
  /** The cost of the whole call, all attempts and corrections; null while none of it is known. */
  readonly call_cost_usd_exact: string | null;
  readonly operation: string;
  readonly upstream_id: string | null;
  readonly response_model: string;
  readonly service_tier: string | null;
  readonly first_byte_ms: number | null;
  readonly http_status: number;
  readonly error_code: string | null;
  readonly meters: Readonly<Record<string, number>>;
  readonly charges: readonly WireCharge[];
  readonly unpriced_meters: readonly string[];
  readonly cost_reason: string | null;
  readonly at_risk_exact: string | null;
  readonly tag_provenance: Readonly<Record<string, string>>;
  readonly conflicts: readonly { readonly key: string; readonly value: string; readonly source: string }[];
  /** The values that were sent where `tags` says `(other)`. */
  readonly tags_overflow: Readonly<Record<string, string>>;
  readonly usage_origin: string | null;
  /** The usage object as the provider sent it; null when it sent none. */
  readonly usage_raw: unknown;
  readonly price_book: string | null;
  readonly key_team: string | null;
  readonly key_owner: string | null;
  readonly recorded_at: string;
};

type WireAttempt = WireCost & {
  readonly entry_id: string;
  readonly kind: string;
  readonly attempt: number;
  readonly timestamp: string;
  readonly provider: string;
  readonly model: string;
  readonly status: string;
  readonly http_status: number;
  readonly error_code: string | null;
  readonly latency_ms: number;
};

type WireCharge = {
  readonly meter: string;
  readonly quantity: string;
  /** USD for `per` units. */
  readonly unit_price_usd: string;
  readonly per: number;
  readonly amount_usd_exact: string;
  readonly price_row: string;
};

export const EVENT_DETAIL_COLUMNS = [
  EVENT_COLUMNS,
  'kind',
  'operation',
  'upstream_id',
  'response_model',
  'service_tier',
  'first_byte_ms',
  'http_status',
  'error_code',
  'toJSONString(meters) AS x_meters',
  'charges.meter AS x_charge_meters',
  'charges.quantity AS x_charge_quantities',
  'charges.unit_amount AS x_charge_prices',
  'arrayMap(n -> toString(n), charges.unit_per) AS x_charge_pers',
  'arrayMap(n -> toString(n), charges.amount) AS x_charge_amounts',
  'charges.price_row AS x_charge_rows',
  'unpriced_meters',
  'cost_reason',
  'toString(at_risk) AS x_at_risk',
  'toJSONString(tag_provenance) AS x_provenance',
  'tag_conflicts.key AS x_conflict_keys',
  'tag_conflicts.value AS x_conflict_values',
  'tag_conflicts.source AS x_conflict_sources',
  'toJSONString(tags_overflow) AS x_overflow',
  'usage_origin',
  'usage_raw',
  'price_book',
  'key_team',
  'key_owner',
  'toUnixTimestamp64Milli(posted_at) AS x_posted_ms',
].join(', ');

export function toWireEventDetail(row: Row, entries: readonly Row[]): WireEventDetail {
  const costs = entries.map((entry) => moneyOrNull(entry, 'x_cost')).filter((cost) => cost !== null);
  return {
    ...toWireEvent(row),
    attempts: entries.map(toWireAttempt),
    call_cost_usd_exact: costs.length === 0 ? null : formatUsd(sumUsd(costs)),
    operation: textOf(row, 'operation'),
    upstream_id: filledOrNull(row, 'upstream_id'),
    response_model: textOf(row, 'response_model'),
    service_tier: filledOrNull(row, 'service_tier'),
    first_byte_ms: countOrNull(row, 'first_byte_ms'),
    http_status: countOf(row, 'http_status'),
    error_code: filledOrNull(row, 'error_code'),
    meters: numbersOf(textOf(row, 'x_meters')),
    charges: toWireCharges(row),
    unpriced_meters: textsOf(row, 'unpriced_meters'),
    cost_reason: filledOrNull(row, 'cost_reason'),
    at_risk_exact: exactOrNull(moneyOrNull(row, 'x_at_risk')),
    tag_provenance: tagObject(row, 'x_provenance'),
    conflicts: toWireConflicts(row),
    tags_overflow: tagObject(row, 'x_overflow'),
    usage_origin: filledOrNull(row, 'usage_origin'),
    usage_raw: jsonOrText(textOf(row, 'usage_raw')),
    price_book: filledOrNull(row, 'price_book'),
    key_team: filledOrNull(row, 'key_team'),
    key_owner: filledOrNull(row, 'key_owner'),
    recorded_at: isoOf(row, 'x_posted_ms'),
  };
}

function toWireAttempt(row: Row): WireAttempt {
  return {
    entry_id: textOf(row, 'entry_id'),
    kind: textOf(row, 'kind'),
    attempt: countOf(row, 'attempt'),
    timestamp: isoOf(row, 'x_at_ms'),
    provider: textOf(row, 'provider'),
    model: textOf(row, 'model'),
    status: textOf(row, 'status'),
    http_status: countOf(row, 'http_status'),
    error_code: filledOrNull(row, 'error_code'),
    latency_ms: countOf(row, 'latency_ms'),
    ...toWireCost(row),
  };
}

function toWireCharges(row: Row): readonly WireCharge[] {
  const column = (name: string) => textsOf(row, name);
  const quantities = column('x_charge_quantities');
  const prices = column('x_charge_prices');
  const pers = column('x_charge_pers');
  const amounts = column('x_charge_amounts');
  const rows = column('x_charge_rows');
  return column('x_charge_meters').map((meter, at) => ({
    meter,
    quantity: itemOf(quantities, at),
    unit_price_usd: itemOf(prices, at),
    per: Number(itemOf(pers, at)),
    amount_usd_exact: formatUsd(picoOf(itemOf(amounts, at), 'charges.amount')),
    price_row: itemOf(rows, at),
  }));
}

function toWireConflicts(row: Row): WireEventDetail['conflicts'] {
  const values = textsOf(row, 'x_conflict_values');
  const sources = textsOf(row, 'x_conflict_sources');
  return textsOf(row, 'x_conflict_keys').map((key, at) => ({
    key,
    value: itemOf(values, at),
    source: itemOf(sources, at),
  }));
}

function itemOf(items: readonly string[], at: number): string {
  const item = items[at];
  invariant(item !== undefined, 'columns of one nested list have one length');
  return item;
}

function exactOrNull(cost: PicoUsd | null): string | null {
  return cost === null ? null : formatUsd(cost);
}

function numberOrNull(cost: PicoUsd | null): number | null {
  return cost === null ? null : usdNumber(cost);
}

/** The entry writes "none" as an empty text. */
export function filledOrNull(row: Row, column: string): string | null {
  const text = textOrNull(row, column);
  return text === '' ? null : text;
}

export function isoOf(row: Row, column: string): string {
  return new Date(countOf(row, column)).toISOString();
}

/** A JSON column of tags, its paths turned back into keys. */
export function tagObject(row: Row, column: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(textOf(row, column))).map(([path, value]) => [tagKeyOfPath(path), String(value)]),
  );
}

function numbersOf(json: string): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(objectOf(json)).map(([name, value]) => [name, Number(value)]));
}

function objectOf(json: string): object {
  const value: unknown = JSON.parse(json);
  invariant(typeof value === 'object' && value !== null, 'the column is a JSON object');
  return value;
}

/** Providers send JSON; what is none is shown as it came. */
export function jsonOrText(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
