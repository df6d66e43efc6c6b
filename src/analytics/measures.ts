import { partOf, SUMMED, type SummedName } from '#ledger/store';
import { invariant } from '#std';
import { addUsd, formatUsd, picoUsd, usdNumber, ZERO_USD, type PicoUsd } from '#terms';
import { picoOf, textsOf, type Row } from './reader.ts';

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

/** What has been summed up, by its name. */
type Sums = (name: SummedName) => bigint;

const MONEY: Readonly<Record<MoneyField, (sum: Sums) => bigint>> = {
  cost: (sum) => sum('cost'),
  listCost: (sum) => sum('cost') + sum('list_extra'),
  billed: (sum) => sum('cost') + sum('billed_extra'),
  estimatedCost: (sum) => sum('estimated_cost'),
  reportedCost: (sum) => sum('reported_cost'),
  partialExactCost: (sum) => sum('partial_exact_cost'),
  // A correction takes back what is no longer at risk.
  atRisk: (sum) => sum('risk'),
  sandboxCost: (sum) => sum('sandbox_cost'),
};

const COUNTS: Readonly<Record<CountField, (sum: Sums) => bigint>> = {
  events: (sum) => sum('counts_call'),
  attempts: (sum) => sum('entry_count') - sum('posting_count'),
  inputTokens: (sum) => sum('input_tokens'),
  outputTokens: (sum) => sum('output_tokens'),
  // Zero in what was not timed.
  latencyMs: (sum) => sum('latency_ms'),
  timed: (sum) => sum('entry_count') - sum('untimed_count'),
  // Attempts in a state, as corrections left them.
  unpriced: (sum) => sum('unpriced_count'),
  incomplete: (sum) => sum('incomplete_count'),
  estimated: (sum) => sum('estimated_count'),
  inDoubt: (sum) => sum('in_doubt_count'),
  sandbox: (sum) => sum('sandbox_count'),
};

/** What `partOf` is given of rows that have a column of each name. A sum over no priced entry is NULL; a total of nothing is zero. */
export function sumsOfColumns(summed: readonly SummedName[]): readonly string[] {
  return summed.map((name) => `coalesce(sum(${name}), 0)`);
}

/** Sums in the order of `SUMMED` as `fromRowMeasures` reads them: JSON numbers would be rounded. */
function told(part: string): string {
  return `CAST(${part}, 'Array(String)') AS m`;
}

/** The measures of rows that have a column of each name in `SUMMED`. */
export const MEASURE_COLUMNS = told(partOf(sumsOfColumns(SUMMED)));

/** The measures of rows that have been summed up already, to a column like `part`. */
export function measuresOf(part: string): string {
  return told(`sumForEach(${part})`);
}

export const PART_MEASURES = measuresOf('part');

/** Where in a `part` it is, counted from one as the engine does. */
export function placeOf(name: SummedName): number {
  return SUMMED.indexOf(name) + 1;
}

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

/** Of a row with `m`: all sums, or that of the cost alone. Those of nothing are an empty list. */
export function fromRowMeasures(row: Row): Measures {
  const sums = textsOf(row, 'm').map((text) => picoOf(text, 'm'));
  const [cost] = sums;
  if (cost === undefined) return NO_MEASURES;
  if (sums.length === 1) return { ...NO_MEASURES, cost };
  const sum: Sums = (name) => {
    const value = sums[placeOf(name) - 1];
    invariant(value !== undefined, `${name} is among what is summed up`);
    return value;
  };
  return measured(
    (field) => picoUsd(MONEY[field](sum)),
    (field) => Number(COUNTS[field](sum)),
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
