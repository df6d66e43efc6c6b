import { addUsd, formatUsd, picoUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import { countOf, moneyOf, type Row } from './reader.ts';

/** What every report counts. All of it adds up over the parts of a partition, the latency as sum and number. */
export type Measures = {
  readonly cost: PicoUsd;
  readonly listCost: PicoUsd;
  readonly billed: PicoUsd;
  readonly events: number;
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly latencyMs: number;
  readonly timed: number;
  readonly unpriced: number;
  readonly incomplete: number;
  readonly estimated: number;
  readonly estimatedCost: PicoUsd;
  readonly reportedCost: PicoUsd;
  readonly partialExactCost: PicoUsd;
  readonly inDoubt: number;
  readonly atRisk: PicoUsd;
  readonly sandboxCost: PicoUsd;
  readonly sandbox: number;
};

type Field = keyof Measures;

type MoneyField = { [F in Field]: Measures[F] extends PicoUsd ? F : never }[Field];
type CountField = Exclude<Field, MoneyField>;

/** Aggregates that add up over any split of the entries. */
const MONEY: Readonly<Record<MoneyField, string>> = {
  cost: 'sum(cost)',
  listCost: '(coalesce(sum(cost), 0) + sum(list_extra))',
  billed: '(coalesce(sum(cost), 0) + sum(billed_extra))',
  estimatedCost: 'sum(estimated_cost)',
  reportedCost: 'sum(reported_cost)',
  partialExactCost: 'sum(partial_exact_cost)',
  // A correction takes back what is no longer at risk.
  atRisk: 'sum(risk)',
  sandboxCost: 'sum(sandbox_cost)',
};

const COUNTS: Readonly<Record<CountField, string>> = {
  events: 'sum(counts_call)',
  attempts: '(sum(entry_count) - sum(posting_count))',
  inputTokens: 'sum(input_tokens)',
  outputTokens: 'sum(output_tokens)',
  // Zero in what was not timed.
  latencyMs: 'sum(latency_ms)',
  timed: '(sum(entry_count) - sum(untimed_count))',
  // Attempts in a state, as corrections left them.
  unpriced: 'sum(unpriced_count)',
  incomplete: 'sum(incomplete_count)',
  estimated: 'sum(estimated_count)',
  inDoubt: 'sum(in_doubt_count)',
  sandbox: 'sum(sandbox_count)',
};

type Column = { readonly alias: string; readonly sql: string; readonly isMoney: boolean };

// Aliases differ from the columns' names: ClickHouse would otherwise read `cost` inside a later sum as the alias.
const COLUMNS: readonly Column[] = [
  ...Object.entries(MONEY).map(([field, sql]) => ({ alias: `m_${field}`, sql, isMoney: true })),
  ...Object.entries(COUNTS).map(([field, sql]) => ({ alias: `m_${field}`, sql, isMoney: false })),
];

// A sum over no priced entry is NULL; a total of nothing is zero, and `unpriced` beside it says what the total leaves out.
function outOf(sql: string, isMoney: boolean): string {
  return isMoney ? `toString(coalesce(${sql}, 0))` : sql;
}

/** The measures of entries. */
export const MEASURE_COLUMNS = COLUMNS.map(({ alias, sql, isMoney }) => `${outOf(sql, isMoney)} AS ${alias}`).join(
  ', ',
);

/** The cost alone, as `MEASURE_COLUMNS` has it. */
export const COST_COLUMN = `${outOf(MONEY.cost, true)} AS m_cost`;

/** Partial sums of entries, for a statement around that adds them up with `FOLDED_MEASURE_COLUMNS`. */
export const PARTIAL_COLUMNS = COLUMNS.map(({ alias, sql }) => `${sql} AS part_${alias}`).join(', ');

export const FOLDED_MEASURE_COLUMNS = COLUMNS.map(
  ({ alias, isMoney }) => `${outOf(`sum(part_${alias})`, isMoney)} AS ${alias}`,
).join(', ');

/** Sums of a group, of what is read or of partial sums, for a statement around that adds up groups with `GATHERED_MEASURE_COLUMNS`. */
export const GROUP_COLUMNS = {
  read: COLUMNS.map(({ alias, sql }) => `${sql} AS group_${alias}`).join(', '),
  partial: COLUMNS.map(({ alias }) => `sum(part_${alias}) AS group_${alias}`).join(', '),
} as const;

export const GATHERED_MEASURE_COLUMNS = COLUMNS.map(
  ({ alias, isMoney }) => `${outOf(`sum(group_${alias})`, isMoney)} AS ${alias}`,
).join(', ');

/** Every measure by one rule for money and one for counts. */
function measured(usd: (field: MoneyField) => PicoUsd, count: (field: CountField) => number): Measures {
  return {
    cost: usd('cost'),
    listCost: usd('listCost'),
    billed: usd('billed'),
    events: count('events'),
    attempts: count('attempts'),
    inputTokens: count('inputTokens'),
    outputTokens: count('outputTokens'),
    latencyMs: count('latencyMs'),
    timed: count('timed'),
    unpriced: count('unpriced'),
    incomplete: count('incomplete'),
    estimated: count('estimated'),
    estimatedCost: usd('estimatedCost'),
    reportedCost: usd('reportedCost'),
    partialExactCost: usd('partialExactCost'),
    inDoubt: count('inDoubt'),
    atRisk: usd('atRisk'),
    sandboxCost: usd('sandboxCost'),
    sandbox: count('sandbox'),
  };
}

export const NO_MEASURES: Measures = measured(
  () => ZERO_USD,
  () => 0,
);

export function fromRowMeasures(row: Row): Measures {
  return measured(
    (field) => moneyOf(row, `m_${field}`),
    (field) => countOf(row, `m_${field}`),
  );
}

/** What is left of a total without its parts: the `(other)` of a report that was cut. */
export function lessMeasures(total: Measures, parts: readonly Measures[]): Measures {
  return parts.reduce(
    (left, part) =>
      measured(
        (field) => picoUsd(left[field] - part[field]),
        (field) => left[field] - part[field],
      ),
    total,
  );
}

/** Parts of a partition put together. */
export function sumMeasures(parts: readonly Measures[]): Measures {
  return parts.reduce(
    (left, part) =>
      measured(
        (field) => addUsd(left[field], part[field]),
        (field) => left[field] + part[field],
      ),
    NO_MEASURES,
  );
}

export type WireMeasures = {
  readonly total_cost: number;
  readonly total_cost_exact: string;
  /** At public prices, and what we charge on. An attempt that has neither counts with its cost. */
  readonly total_list_cost: number;
  readonly total_list_cost_exact: string;
  readonly total_billed: number;
  readonly total_billed_exact: string;
  readonly total_events: number;
  readonly total_attempts: number;
  readonly total_input_tokens: number;
  readonly total_output_tokens: number;
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

export function toWireMeasures(measures: Measures): WireMeasures {
  return {
    total_cost: usdNumber(measures.cost),
    total_cost_exact: formatUsd(measures.cost),
    total_list_cost: usdNumber(measures.listCost),
    total_list_cost_exact: formatUsd(measures.listCost),
    total_billed: usdNumber(measures.billed),
    total_billed_exact: formatUsd(measures.billed),
    total_events: measures.events,
    total_attempts: measures.attempts,
    total_input_tokens: measures.inputTokens,
    total_output_tokens: measures.outputTokens,
    avg_latency_ms: measures.timed === 0 ? null : Math.round(measures.latencyMs / measures.timed),
    unpriced_events: measures.unpriced,
    incomplete_events: measures.incomplete,
    estimated_events: measures.estimated,
    estimated_cost_exact: formatUsd(measures.estimatedCost),
    reported_cost_exact: formatUsd(measures.reportedCost),
    partial_exact_cost_exact: formatUsd(measures.partialExactCost),
    in_doubt_events: measures.inDoubt,
    at_risk_exact: formatUsd(measures.atRisk),
    sandbox_cost_exact: formatUsd(measures.sandboxCost),
    sandbox: measures.sandbox > 0,
  };
}
