import { formatUsd, picoUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
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

// Aliases differ from the columns' names: ClickHouse would otherwise read `cost` inside a later sum as the alias. A sum
// over no priced entry is NULL there; a total of nothing is zero, and `unpriced` beside it says what the total leaves out.
const COLUMNS = {
  m_cost: 'toString(coalesce(sum(cost), 0))',
  m_events: 'sum(counts_call)',
  m_input: 'sum(input_tokens)',
  m_output: 'sum(output_tokens)',
  m_latency: "sumIf(latency_ms, kind = 'attempt' AND status != 'interrupted')",
  m_timed: "countIf(kind = 'attempt' AND status != 'interrupted')",
  m_unpriced: "countIf(kind = 'attempt' AND cost_state = 'unpriced')",
  m_incomplete: "countIf(kind = 'attempt' AND cost_state = 'incomplete')",
  m_estimated: "toString(coalesce(sumIf(cost, cost_state = 'estimated'), 0))",
  m_in_doubt: "countIf(kind = 'attempt' AND cost_state = 'in_doubt')",
  m_at_risk: "toString(coalesce(sumIf(at_risk, cost_state = 'in_doubt'), 0))",
  m_sandbox_cost: "toString(coalesce(sumIf(cost, provider = 'sandbox'), 0))",
  m_sandbox: "countIf(provider = 'sandbox')",
} as const;

export const MEASURE_COLUMNS = Object.entries(COLUMNS)
  .map(([alias, sql]) => `${sql} AS ${alias}`)
  .join(', ');

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
  return parts.reduce(
    (left, part) => ({
      cost: lessUsd(left.cost, part.cost),
      events: left.events - part.events,
      inputTokens: left.inputTokens - part.inputTokens,
      outputTokens: left.outputTokens - part.outputTokens,
      latencyMs: left.latencyMs - part.latencyMs,
      timed: left.timed - part.timed,
      unpriced: left.unpriced - part.unpriced,
      incomplete: left.incomplete - part.incomplete,
      estimatedCost: lessUsd(left.estimatedCost, part.estimatedCost),
      inDoubt: left.inDoubt - part.inDoubt,
      atRisk: lessUsd(left.atRisk, part.atRisk),
      sandboxCost: lessUsd(left.sandboxCost, part.sandboxCost),
      sandbox: left.sandbox - part.sandbox,
    }),
    total,
  );
}

function lessUsd(left: PicoUsd, right: PicoUsd): PicoUsd {
  return picoUsd(left - right);
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
