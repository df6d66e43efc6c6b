import { ENTRIES, type AsOf } from '#ledger/store';
import { formatUsd, picoUsd, usdNumber, type PicoUsd } from '#terms';
import { createBindings } from './bindings.ts';
import { untilAsOf } from './period.ts';
import { countOf, moneyOrNull, textOf, type Row, type StoreReader } from './reader.ts';

/** The columns of what an entry cost and used, and of what corrects it. */
export const COST_COLUMNS = [
  'entry_id',
  'kind',
  'toString(cost) AS x_cost',
  'toString(list_cost) AS x_list_cost',
  'toString(billed) AS x_billed',
  'toString(computed_cost) AS x_computed_cost',
  'toString(at_risk) AS x_at_risk',
  'cost_state',
  'cost_reason',
  'corrects',
  'resolves',
  'input_tokens',
  'output_tokens',
].join(', ');

/** What was made of entries later, by the entry: its corrections in the order they were made, then what was adjusted by hand. */
export type Corrections = ReadonlyMap<string, readonly Row[]>;

const NO_CORRECTIONS: Corrections = new Map();

export function correctionsAmong(rows: readonly Row[]): Corrections {
  const later = rows.filter((row) => textOf(row, 'kind') !== 'attempt' && textOf(row, 'corrects') !== '');
  const byEntry = Map.groupBy(later, (row) => textOf(row, 'corrects'));
  return new Map(
    Array.from(byEntry, ([entry, found]) => {
      const ordered = found.toSorted((left, right) => orderOf(left) - orderOf(right));
      return [entry, [...ordered.filter(isCorrection), ...ordered.filter((row) => !isCorrection(row))]];
    }),
  );
}

/** An adjustment moves money beside an entry, and says nothing of what the entry is. */
export function isCorrection(row: Row): boolean {
  return textOf(row, 'kind') === 'correction';
}

/** What says by now how an entry stands: its last correction, or itself. */
export function lastWord(row: Row, later: readonly Row[]): Row {
  return later.findLast(isCorrection) ?? row;
}

function orderOf(row: Row): number {
  const id = textOf(row, 'entry_id');
  return Number(id.slice(id.lastIndexOf('.') + 1));
}

/** @param rows entries with `x_at_ms`: a correction is at the time of what it corrects, so only those times are looked at */
export async function correctionsOf(
  { store, asOf }: { readonly store: StoreReader; readonly asOf: AsOf },
  rows: readonly Row[],
  signal?: AbortSignal,
): Promise<Corrections> {
  if (rows.length === 0) return NO_CORRECTIONS;
  const { bind, params } = createBindings();
  const times = rows.map((row) => countOf(row, 'x_at_ms'));
  const at = (ms: number): string => `fromUnixTimestamp64Milli(${bind('Int64', ms)}, 'UTC')`;
  const ids = bind(
    'Array(String)',
    rows.map((row) => textOf(row, 'entry_id')),
  );
  const sql = `SELECT ${COST_COLUMNS} FROM ${ENTRIES} WHERE kind IN ('correction', 'adjustment')
    AND effective_at BETWEEN ${at(Math.min(...times))} AND ${at(Math.max(...times))} AND corrects IN ${ids}
    AND ${untilAsOf(asOf, bind, 'seq')}`;
  return correctionsAmong(await store.query<Row>(sql, params, signal === undefined ? {} : { signal }));
}

/** What an entry costs by now. */
export type WireCost = {
  /** Null when the cost is not known: see `cost_state`. */
  readonly cost_usd: number | null;
  readonly cost_usd_exact: string | null;
  /** At public prices; null where they do not price all of it. */
  readonly list_cost_usd_exact: string | null;
  /** What we charge on. */
  readonly billed_usd_exact: string | null;
  readonly cost_state: string;
};

export type CostNow = WireCost & {
  readonly computed_cost_usd_exact: string | null;
  readonly at_risk_exact: string | null;
  readonly cost_reason: string | null;
};

/** @param corrections of this entry, and what was adjusted of it */
export function costNow(row: Row, corrections: readonly Row[]): CostNow {
  const all = [row, ...corrections];
  const last = lastWord(row, corrections);
  const state = textOf(last, 'cost_state');
  const known = state !== 'unpriced' && state !== 'in_doubt';
  const sum = (column: string): PicoUsd | null => (known ? sumOf(all, column) : null);
  const cost = sum('x_cost');
  const reason = textOf(last, 'cost_reason');
  return {
    cost_usd: cost === null ? null : usdNumber(cost),
    cost_usd_exact: exactOrNull(cost),
    list_cost_usd_exact: exactOrNull(sum('x_list_cost')),
    billed_usd_exact: exactOrNull(sum('x_billed')),
    computed_cost_usd_exact: exactOrNull(sum('x_computed_cost')),
    cost_state: state,
    cost_reason: reason === '' ? null : reason,
    at_risk_exact: state === 'in_doubt' ? exactOrNull(sumOf(all, 'x_at_risk')) : null,
  };
}

/** What a list shows of it. */
export function toWireCost(row: Row, corrections: readonly Row[]): WireCost {
  const { cost_usd, cost_usd_exact, list_cost_usd_exact, billed_usd_exact, cost_state } = costNow(row, corrections);
  return { cost_usd, cost_usd_exact, list_cost_usd_exact, billed_usd_exact, cost_state };
}

/** Null when nothing of it is known. */
export function sumOf(rows: readonly Row[], column: string): PicoUsd | null {
  const amounts = rows.map((row) => moneyOrNull(row, column)).filter((amount) => amount !== null);
  return amounts.length === 0 ? null : picoUsd(amounts.reduce((total: bigint, amount) => total + amount, 0n));
}

export function exactOrNull(amount: PicoUsd | null): string | null {
  return amount === null ? null : formatUsd(amount);
}
