import type { AsOf, Cells, Summed, Unit } from '#ledger/store';
import { invariant, type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';

export type SqlParams = Readonly<Record<string, string | number | readonly string[]>>;

/** What analytics needs of the store: rows for SQL with bound parameters, and how fresh they are. */
export type StoreReader = {
  query<T>(sql: string, params: SqlParams, options?: { readonly signal?: AbortSignal }): Promise<T[]>;
  asOf(): AsOf;
  /** Sums by a dimension; without them every report reads entries. */
  sums?(dimension: string, asOf: AsOf): Summed | null;
  /** Entries summed up by all that conditions and columns are about, and a unit of time; without it, nothing is. */
  cells?(sql: string, per: Unit, asOf: AsOf): Cells | null;
  /** Whether a report has met an entry whose amounts need the wide columns. Without it, every report looks for some. */
  readonly wide?: { met: boolean };
  /** Since when entries have their detail; null, or without it, all have. */
  detailKept?(): DetailKept | null;
};

/** The first instant whose entries have their detail, and the days of the setting it follows from. */
export type DetailKept = { readonly days: number; readonly from: TimestampMs };

/** A result row as the store gives it; read with `textOf`, `countOf`, `moneyOf`. */
export type Row = Readonly<Record<string, unknown>>;

export function textOf(row: Row, column: string): string {
  const value = row[column];
  invariant(typeof value === 'string', `column ${column} is text, got ${typeof value}`);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

/** Counts come as JSON numbers or, from a server set to quote 64-bit integers, as strings. */
export function countOf(row: Row, column: string): number {
  const value = row[column];
  invariant(typeof value === 'number' || typeof value === 'string', `column ${column} is a count, got ${typeof value}`);
  const count = Number(value);
  invariant(Number.isFinite(count), `column ${column} is a finite count, got ${value}`);
  return count;
}

export function countOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : countOf(row, column);
}

/** Money is selected with `toString(…)`: an integer of pico-dollars that a JSON number would round. */
export function moneyOf(row: Row, column: string): PicoUsd {
  return picoOf(textOf(row, column), column);
}

export function moneyOrNull(row: Row, column: string): PicoUsd | null {
  return row[column] === null ? null : moneyOf(row, column);
}

export function picoOf(text: string, column: string): PicoUsd {
  invariant(/^-?\d+$/.test(text), `column ${column} is integer pico-dollars, got ${text}`);
  return picoUsd(BigInt(text));
}

export function textsOf(row: Row, column: string): readonly string[] {
  const value = row[column];
  invariant(
    Array.isArray(value) && value.every((item) => typeof item === 'string'),
    `column ${column} is a list of texts`,
  );
  return value;
}
