import { MULTIPLE } from '#tags';
import { TAG_SETS_COLUMN } from './common-tags.ts';
import { isoOf } from './event.ts';
import { fromRowMeasures, MEASURE_COLUMNS, toWireMeasures, type Measures } from './measures.ts';
import { countOf, textOf, textsOf, type Row } from './reader.ts';

/** What sessions and steps of a run show of their measures. A turn is a call. */
export type WireSessionMeasures = {
  readonly cost: number;
  readonly cost_exact: string;
  readonly list_cost: number;
  readonly list_cost_exact: string;
  readonly billed: number;
  readonly billed_exact: string;
  readonly turns: number;
  readonly attempts: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly avg_latency_ms: number | null;
  readonly unpriced_events: number;
  readonly incomplete_events: number;
  readonly estimated_events: number;
  readonly estimated_cost_exact: string;
  readonly reported_cost_exact: string;
  readonly partial_exact_cost_exact: string;
  readonly in_doubt_events: number;
  readonly at_risk_exact: string;
  readonly sandbox_cost_exact: string;
  readonly sandbox: boolean;
};

export function toWireSessionMeasures(measures: Measures): WireSessionMeasures {
  const wire = toWireMeasures(measures);
  return {
    cost: wire.total_cost,
    cost_exact: wire.total_cost_exact,
    list_cost: wire.total_list_cost,
    list_cost_exact: wire.total_list_cost_exact,
    billed: wire.total_billed,
    billed_exact: wire.total_billed_exact,
    turns: wire.total_events,
    attempts: wire.total_attempts,
    input_tokens: wire.total_input_tokens,
    output_tokens: wire.total_output_tokens,
    avg_latency_ms: wire.avg_latency_ms,
    unpriced_events: wire.unpriced_events,
    incomplete_events: wire.incomplete_events,
    estimated_events: wire.estimated_events,
    estimated_cost_exact: wire.estimated_cost_exact,
    reported_cost_exact: wire.reported_cost_exact,
    partial_exact_cost_exact: wire.partial_exact_cost_exact,
    in_doubt_events: wire.in_doubt_events,
    at_risk_exact: wire.at_risk_exact,
    sandbox_cost_exact: wire.sandbox_cost_exact,
    sandbox: wire.sandbox,
  };
}

export type WireSession = WireSessionMeasures & {
  readonly session_id: string;
  readonly first_at: string;
  /** When the last call began. */
  readonly last_at: string;
  /** From the begin of the first call to the end of the last. */
  readonly duration_ms: number;
  readonly models: readonly string[];
  /** Different steps of a run; 0 for a plain conversation. */
  readonly steps: number;
  /** `(multiple)` as `entity_id` when the calls are for several. */
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  /** The dimensions that every call of the session has, with one value. */
  readonly tags: Readonly<Record<string, string>>;
};

const STARTED_MS = 'toUnixTimestamp64Milli(effective_at)';

const MODELS = 20;

/** What is in the entries of a session beside what adds up. */
export const SESSION_DETAILS = [
  `arraySort(groupUniqArray(${MODELS})(model)) AS x_models`,
  "uniqExactIf(session_path, session_path != '') AS x_steps",
  'uniqUpTo(1)(entity_type, entity_id) AS x_entities',
  'any(entity_type) AS x_entity_type',
  'any(entity_id) AS x_entity_id',
  TAG_SETS_COLUMN,
].join(', ');

/** All of it, of entries. */
export const SESSION_COLUMNS = [
  MEASURE_COLUMNS,
  `min(${STARTED_MS}) AS x_first`,
  `max(${STARTED_MS}) AS x_last`,
  `max(${STARTED_MS} + latency_ms) - min(${STARTED_MS}) AS x_duration`,
  SESSION_DETAILS,
].join(', ');

export function toWireSession(id: string, row: Row, tags: Readonly<Record<string, string>>): WireSession {
  return {
    session_id: id,
    ...toWireSessionMeasures(fromRowMeasures(row)),
    first_at: isoOf(row, 'x_first'),
    last_at: isoOf(row, 'x_last'),
    duration_ms: countOf(row, 'x_duration'),
    models: textsOf(row, 'x_models'),
    steps: countOf(row, 'x_steps'),
    ...entityOf(row),
    tags,
  };
}

function entityOf(row: Row): Pick<WireSession, 'entity_type' | 'entity_id'> {
  if (countOf(row, 'x_entities') > 1) return { entity_type: null, entity_id: MULTIPLE };
  const type = textOf(row, 'x_entity_type');
  return type === ''
    ? { entity_type: null, entity_id: null }
    : { entity_type: type, entity_id: textOf(row, 'x_entity_id') };
}
