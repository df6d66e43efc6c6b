import { addUsd, formatUsd, picoUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import { countOf, moneyOf, type Row } from './reader.ts';

/** What every report counts. All of it adds up over the parts of a partition, the latency as sum and number. */
export type Measures = {
  readonly cost: PicoUsd;
  readonly events: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly latencyMs: number;
  readonly timed: number;
  readonly unpriced: number;
  readonly incomplete: number;
  readonly estimatedCost: PicoUsd;
  readonly inDoubt: number;
  readonly atRisk: PicoUsd;
  readonly sandboxCost: PicoUsd;
  readonly sandbox: number;
};

/** A column of a report: an aggregate that adds up over any split of the entries. */
type Column = { readonly kind: 'money' | 'count'; readonly sql: string };

const COLUMNS = {
  m_cost: { kind: 'money', sql: 'sum(cost)' },
  m_events: { kind: 'count', sql: 'sum(counts_call)' },
  m_input: { kind: 'count', sql: 'sum(input_tokens)' },
  m_output: { kind: 'count', sql: 'sum(output_tokens)' },
  m_latency: { kind: 'count', sql: "sumIf(latency_ms, kind = 'attempt' AND status != 'interrupted')" },
  m_timed: { kind: 'count', sql: "countIf(kind = 'attempt' AND status != 'interrupted')" },
  m_unpriced: { kind: 'count', sql: "countIf(kind = 'attempt' AND cost_state = 'unpriced')" },
  m_incomplete: { kind: 'count', sql: "countIf(kind = 'attempt' AND cost_state = 'incomplete')" },
  m_estimated: { kind: 'money', sql: "sumIf(cost, cost_state = 'estimated')" },
  m_in_doubt: { kind: 'count', sql: "countIf(kind = 'attempt' AND cost_state = 'in_doubt')" },
  m_at_risk: { kind: 'money', sql: "sumIf(at_risk, cost_state = 'in_doubt')" },
  m_sandbox_cost: { kind: 'money', sql: "sumIf(cost, provider = 'sandbox')" },
  m_sandbox: { kind: 'count', sql: "countIf(provider = 'sandbox')" },
} as const satisfies Readonly<Record<string, Column>>;

const COLUMN_LIST: readonly (readonly [string, Column])[] = Object.entries(COLUMNS);

// A sum over no priced entry is NULL; a total of nothing is zero, and `unpriced` beside it says what the total leaves out.
function outOf(sql: string, kind: Column['kind']): string {
  return kind === 'money' ? `toString(coalesce(${sql}, 0))` : sql;
}

// Aliases differ from the columns' names: ClickHouse would otherwise read `cost` inside a later sum as the alias.
/** The measures of entries. */
export const MEASURE_COLUMNS = COLUMN_LIST.map(([alias, { kind, sql }]) => `${outOf(sql, kind)} AS ${alias}`).join(
  ', ',
);

/** Partial sums of entries, for a statement around that adds them up with `FOLDED_MEASURE_COLUMNS`. */
export const PARTIAL_COLUMNS = COLUMN_LIST.map(([alias, { sql }]) => `${sql} AS part_${alias}`).join(', ');

export const FOLDED_MEASURE_COLUMNS = COLUMN_LIST.map(
  ([alias, { kind }]) => `${outOf(`sum(part_${alias})`, kind)} AS ${alias}`,
).join(', ');

export const NO_MEASURES: Measures = {
  cost: ZERO_USD,
  events: 0,
  inputTokens: 0,
  outputTokens: 0,
  latencyMs: 0,
  timed: 0,
  unpriced: 0,
  incomplete: 0,
  estimatedCost: ZERO_USD,
  inDoubt: 0,
  atRisk: ZERO_USD,
  sandboxCost: ZERO_USD,
  sandbox: 0,
};

export function fromRowMeasures(row: Row): Measures {
  return {
    cost: moneyOf(row, 'm_cost'),
    events: countOf(row, 'm_events'),
    inputTokens: countOf(row, 'm_input'),
    outputTokens: countOf(row, 'm_output'),
    latencyMs: countOf(row, 'm_latency'),
    timed: countOf(row, 'm_timed'),
    unpriced: countOf(row, 'm_unpriced'),
    incomplete: countOf(row, 'm_incomplete'),
    estimatedCost: moneyOf(row, 'm_estimated'),
    inDoubt: countOf(row, 'm_in_doubt'),
    atRisk: moneyOf(row, 'm_at_risk'),
    sandboxCost: moneyOf(row, 'm_sandbox_cost'),
    sandbox: countOf(row, 'm_sandbox'),
  };
}

/** What is left of a total without its parts: the `(other)` of a report that was cut. */
export function lessMeasures(total: Measures, parts: readonly Measures[]): Measures {
  return parts.reduce((left, part) => combine(left, part, LESS), total);
}

/** Parts of a partition put together. */
export function sumMeasures(parts: readonly Measures[]): Measures {
  return parts.reduce((left, part) => combine(left, part, PLUS), NO_MEASURES);
}

type Operation = {
  readonly usd: (left: PicoUsd, right: PicoUsd) => PicoUsd;
  readonly count: (left: number, right: number) => number;
};

const LESS: Operation = { usd: (left, right) => picoUsd(left - right), count: (left, right) => left - right };
const PLUS: Operation = { usd: addUsd, count: (left, right) => left + right };

function combine(left: Measures, right: Measures, { usd, count }: Operation): Measures {
  return {
    cost: usd(left.cost, right.cost),
    events: count(left.events, right.events),
    inputTokens: count(left.inputTokens, right.inputTokens),
    outputTokens: count(left.outputTokens, right.outputTokens),
    latencyMs: count(left.latencyMs, right.latencyMs),
    timed: count(left.timed, right.timed),
    unpriced: count(left.unpriced, right.unpriced),
    incomplete: count(left.incomplete, right.incomplete),
    estimatedCost: usd(left.estimatedCost, right.estimatedCost),
    inDoubt: count(left.inDoubt, right.inDoubt),
    atRisk: usd(left.atRisk, right.atRisk),
    sandboxCost: usd(left.sandboxCost, right.sandboxCost),
    sandbox: count(left.sandbox, right.sandbox),
  };
}

export type WireMeasures = {
  readonly total_cost: number;
  readonly total_cost_exact: string;
  readonly total_events: number;
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
  readonly avg_latency_ms: number | null;
  readonly unpriced_events: number;
  readonly incomplete_events: number;
  readonly estimated_cost_exact: string;
  readonly in_doubt_events: number;
  readonly at_risk_exact: string;
  readonly sandbox_cost_exact: string;
  readonly sandbox: boolean;
};

export function toWireMeasures(measures: Measures): WireMeasures {
  return {
    total_cost: usdNumber(measures.cost),
    total_cost_exact: formatUsd(measures.cost),
    total_events: measures.events,
    total_input_tokens: measures.inputTokens,
    total_output_tokens: measures.outputTokens,
    avg_latency_ms: measures.timed === 0 ? null : Math.round(measures.latencyMs / measures.timed),
    unpriced_events: measures.unpriced,
    incomplete_events: measures.incomplete,
    estimated_cost_exact: formatUsd(measures.estimatedCost),
    in_doubt_events: measures.inDoubt,
    at_risk_exact: formatUsd(measures.atRisk),
    sandbox_cost_exact: formatUsd(measures.sandboxCost),
    sandbox: measures.sandbox > 0,
  };
}
