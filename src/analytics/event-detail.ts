import { openLines, statementOf, type ChargeLine } from '#ledger';
import { invariant } from '#std';
import { formatUsd } from '#terms';
import {
  correctionsAmong,
  costNow,
  exactOrNull,
  isCorrection,
  lastWord,
  sumOf,
  toWireCost,
  type CostNow,
  type Corrections,
  type WireCost,
} from './corrected.ts';
import {
  EVENT_COLUMNS,
  filledOrNull,
  isoOf,
  jsonOrText,
  numbersOf,
  tagObject,
  toWireEvent,
  type WireEvent,
} from './event.ts';
import { countOf, countOrNull, picoOf, textOf, textsOf, type Row } from './reader.ts';

/** What `GET /v1/events/{id}` adds: how the cost came about, and where each tag came from. */
export type WireEventDetail = Omit<WireEvent, 'corrections'> &
  CostNow & {
    /** Every attempt of the call, in order, each at what it costs by now. */
    readonly attempts: readonly WireAttempt[];
    /** Every correction of the call, as it was made: signed differences. */
    readonly corrections: readonly WireCorrection[];
    /** Money that was moved by hand, about the call. */
    readonly adjustments: readonly WireAdjusted[];
    /** The cost of the whole call, all attempts and corrections; null while none of it is known. */
    readonly call_cost_usd_exact: string | null;
    /** The contract and markup that made cost and billed amount of the list cost. */
    readonly price_terms: readonly string[];
    readonly operation: string;
    readonly wire: string | null;
    /** The provider whose list prices it. */
    readonly price_as: string | null;
    readonly region: string | null;
    readonly geo: string | null;
    readonly upstream_id: string | null;
    readonly response_model: string;
    readonly service_tier: string | null;
    readonly first_byte_ms: number | null;
    readonly http_status: number;
    readonly error_code: string | null;
    readonly meters: Readonly<Record<string, number>>;
    /** What other models consumed inside the answer: `[{model, meters}]`. */
    readonly other_usage: unknown;
    /** The lines that hold by now: those a correction took back are gone. */
    readonly charges: readonly WireCharge[];
    readonly unpriced_meters: readonly string[];
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
  readonly attempt: number;
  readonly cause: string | null;
  readonly timestamp: string;
  readonly provider: string;
  readonly model: string;
  readonly status: string;
  readonly http_status: number;
  readonly error_code: string | null;
  readonly latency_ms: number;
};

type WireCorrection = {
  readonly entry_id: string;
  readonly corrects: string;
  readonly recorded_at: string;
  readonly reason: string | null;
  /** The state it put an end to; null when the state stayed. */
  readonly resolves: string | null;
  readonly cost_state: string;
  readonly cost_usd_exact: string | null;
  readonly list_cost_usd_exact: string | null;
  readonly billed_usd_exact: string | null;
  readonly computed_cost_usd_exact: string | null;
  readonly at_risk_exact: string | null;
  readonly charges: readonly WireCharge[];
  readonly price_book: string | null;
};

type WireAdjusted = {
  readonly id: string;
  readonly entry_id: string;
  readonly recorded_at: string;
  readonly reason: string;
  readonly actor: string;
  readonly cost_usd_exact: string | null;
  readonly list_cost_usd_exact: string | null;
  readonly billed_usd_exact: string | null;
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
  'operation',
  'wire',
  'price_as',
  'region',
  'geo',
  'upstream_id',
  'response_model',
  'service_tier',
  'first_byte_ms',
  'http_status',
  'error_code',
  'toJSONString(meters) AS x_meters',
  'other_usage',
  'charges.meter AS x_charge_meters',
  'charges.quantity AS x_charge_quantities',
  'charges.unit_amount AS x_charge_prices',
  'arrayMap(n -> toString(n), charges.unit_per) AS x_charge_pers',
  'arrayMap(n -> toString(n), charges.amount) AS x_charge_amounts',
  'charges.price_row AS x_charge_rows',
  'unpriced_meters',
  'price_terms',
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

/** @param entries all entries of the call, attempts in order */
export function toWireEventDetail(row: Row, entries: readonly Row[]): WireEventDetail {
  const all = correctionsAmong(entries);
  const own = all.get(textOf(row, 'entry_id')) ?? [];
  // What holds by now is said by the last correction.
  const last = lastWord(row, own);
  const later = Array.from(all.values()).flat();
  // Where the provider said it later, in what was in doubt.
  const told = own.findLast((entry) => isCorrection(entry) && textOf(entry, 'usage_raw') !== '') ?? row;
  return {
    ...toWireEvent(row, all),
    ...costNow(row, own),
    attempts: entries.filter((entry) => textOf(entry, 'kind') === 'attempt').map((entry) => toWireAttempt(entry, all)),
    corrections: later.filter(isCorrection).map(toWireCorrection),
    adjustments: later.filter((entry) => !isCorrection(entry)).map(toWireAdjusted),
    call_cost_usd_exact: exactOrNull(sumOf(entries, 'x_cost')),
    price_terms: textsOf(last, 'price_terms'),
    ...requestOf(row),
    meters: sumMeters([row, ...own]),
    other_usage: jsonOrText(textOf(row, 'other_usage')),
    charges: openLines([row, ...own].flatMap(linesOf)).map(toWireCharge),
    unpriced_meters: textsOf(last, 'unpriced_meters'),
    ...tagsOf(row),
    usage_origin: filledOrNull(told, 'usage_origin'),
    usage_raw: jsonOrText(textOf(told, 'usage_raw')),
    price_book: filledOrNull(last, 'price_book'),
    recorded_at: isoOf(row, 'x_posted_ms'),
  };
}

function requestOf(
  row: Row,
): Pick<
  WireEventDetail,
  | 'operation'
  | 'wire'
  | 'price_as'
  | 'region'
  | 'geo'
  | 'upstream_id'
  | 'response_model'
  | 'service_tier'
  | 'first_byte_ms'
  | 'http_status'
  | 'error_code'
  | 'key_team'
  | 'key_owner'
> {
  return {
    operation: textOf(row, 'operation'),
    wire: filledOrNull(row, 'wire'),
    price_as: filledOrNull(row, 'price_as'),
    region: filledOrNull(row, 'region'),
    geo: filledOrNull(row, 'geo'),
    upstream_id: filledOrNull(row, 'upstream_id'),
    response_model: textOf(row, 'response_model'),
    service_tier: filledOrNull(row, 'service_tier'),
    first_byte_ms: countOrNull(row, 'first_byte_ms'),
    http_status: countOf(row, 'http_status'),
    error_code: filledOrNull(row, 'error_code'),
    key_team: filledOrNull(row, 'key_team'),
    key_owner: filledOrNull(row, 'key_owner'),
  };
}

function toWireAttempt(row: Row, corrections: Corrections): WireAttempt {
  const entryId = textOf(row, 'entry_id');
  return {
    entry_id: entryId,
    attempt: countOf(row, 'attempt'),
    cause: filledOrNull(row, 'cause'),
    timestamp: isoOf(row, 'x_at_ms'),
    provider: textOf(row, 'provider'),
    model: textOf(row, 'model'),
    status: textOf(row, 'status'),
    http_status: countOf(row, 'http_status'),
    error_code: filledOrNull(row, 'error_code'),
    latency_ms: countOf(row, 'latency_ms'),
    ...toWireCost(row, corrections.get(entryId) ?? []),
  };
}

function toWireCorrection(row: Row): WireCorrection {
  const amount = (column: string): string | null => exactOrNull(sumOf([row], column));
  return {
    entry_id: textOf(row, 'entry_id'),
    corrects: textOf(row, 'corrects'),
    recorded_at: isoOf(row, 'x_posted_ms'),
    reason: filledOrNull(row, 'cost_reason'),
    resolves: filledOrNull(row, 'resolves'),
    cost_state: textOf(row, 'cost_state'),
    cost_usd_exact: amount('x_cost'),
    list_cost_usd_exact: amount('x_list_cost'),
    billed_usd_exact: amount('x_billed'),
    computed_cost_usd_exact: amount('x_computed_cost'),
    at_risk_exact: amount('x_at_risk'),
    charges: linesOf(row).map(toWireCharge),
    price_book: filledOrNull(row, 'price_book'),
  };
}

/** Its own words stand where an attempt has the provider's usage object. */
function toWireAdjusted(row: Row): WireAdjusted {
  const amount = (column: string): string | null => exactOrNull(sumOf([row], column));
  const { reason, actor } = statementOf(textOf(row, 'usage_raw'));
  return {
    id: textOf(row, 'entry_id'),
    entry_id: textOf(row, 'corrects'),
    recorded_at: isoOf(row, 'x_posted_ms'),
    reason,
    actor,
    cost_usd_exact: amount('x_cost'),
    list_cost_usd_exact: amount('x_list_cost'),
    billed_usd_exact: amount('x_billed'),
  };
}

function linesOf(row: Row): readonly ChargeLine[] {
  const column = (name: string) => textsOf(row, name);
  const quantities = column('x_charge_quantities');
  const prices = column('x_charge_prices');
  const pers = column('x_charge_pers');
  const amounts = column('x_charge_amounts');
  const rows = column('x_charge_rows');
  return column('x_charge_meters').map((meter, at) => ({
    meter,
    quantity: itemOf(quantities, at),
    unit_amount: itemOf(prices, at),
    unit_per: Number(itemOf(pers, at)),
    amount: itemOf(amounts, at),
    price_row: itemOf(rows, at),
  }));
}

function toWireCharge(line: ChargeLine): WireCharge {
  return {
    meter: line.meter,
    quantity: line.quantity,
    unit_price_usd: line.unit_amount,
    per: line.unit_per,
    amount_usd_exact: formatUsd(picoOf(line.amount, 'charges.amount')),
    price_row: line.price_row,
  };
}

function sumMeters(rows: readonly Row[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const row of rows) {
    for (const [meter, quantity] of Object.entries(numbersOf(textOf(row, 'x_meters')))) {
      sums[meter] = (sums[meter] ?? 0) + quantity;
    }
  }
  return sums;
}

function tagsOf(row: Row): Pick<WireEventDetail, 'tag_provenance' | 'conflicts' | 'tags_overflow'> {
  const values = textsOf(row, 'x_conflict_values');
  const sources = textsOf(row, 'x_conflict_sources');
  return {
    tag_provenance: tagObject(row, 'x_provenance'),
    conflicts: textsOf(row, 'x_conflict_keys').map((key, at) => ({
      key,
      value: itemOf(values, at),
      source: itemOf(sources, at),
    })),
    tags_overflow: tagObject(row, 'x_overflow'),
  };
}

function itemOf(items: readonly string[], at: number): string {
  const item = items[at];
  invariant(item !== undefined, 'columns of one nested list have one length');
  return item;
}
