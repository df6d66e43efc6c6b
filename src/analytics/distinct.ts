import { invariant } from '#std';
import { tagColumn, tagDimension } from '#ledger/store';
import { valueOf } from './grouping.ts';
import { countOf, type Row } from './reader.ts';
import type { Report } from './report.ts';
import type { Source } from './summed.ts';

/** A dimension: its sums, and how an entry shows its value, which is empty or null where it has none. */
export type Dimension = { readonly source: Source; readonly column: string };

/** How many values there are, about, and calls that have one. */
export type Distinct = { readonly values: number; readonly calls: number };

export function columnDimension(column: string, dimension = column): Dimension {
  return { source: valueOf(dimension, `nullIf(toString(${column}), '')`), column };
}

export function tagDimensionOf(key: string): Dimension {
  const column = tagColumn(key);
  return { source: valueOf(tagDimension(key), column), column };
}

/** What each of some dimensions has, in their order: from sums where there are any, and else from one look at all entries. */
export async function distinctOf(report: Report, dimensions: readonly Dimension[]): Promise<readonly Distinct[]> {
  const summed = dimensions.flatMap(({ source }, at) => (report.isSummed(source) ? [{ at, source }] : []));
  const together =
    summed.length === 0
      ? []
      : await report.together(summed, (from) => `SELECT at AS x_at, ${OF_SUMS} ${from} GROUP BY at`);
  const found = new Map((together ?? []).map((row) => [countOf(row, 'x_at'), fromRow(row, '')]));
  const left = dimensions.flatMap(({ column }, at) => (found.has(at) ? [] : [{ at, column }]));
  if (left.length > 0) {
    const columns = left.map(({ column }, n) => {
      const has = `ifNull(${column} != '', 0)`;
      return `uniqIf(${column}, ${has}) AS x_values${n}, sumIf(counts_call, ${has}) AS x_calls${n}`;
    });
    const [row] = await report.rows((from) => `SELECT ${columns.join(', ')} ${from}`);
    invariant(row !== undefined, 'a count without groups is one row');
    for (const [n, { at }] of left.entries()) found.set(at, fromRow(row, n));
  }
  return dimensions.map((_, at) => found.get(at) ?? NONE);
}

const OF_SUMS = 'uniqIf(assumeNotNull(g), isNotNull(g)) AS x_values, sumIf(counts_call, isNotNull(g)) AS x_calls';

const NONE: Distinct = { values: 0, calls: 0 };

function fromRow(row: Row, suffix: string | number): Distinct {
  return { values: countOf(row, `x_values${suffix}`), calls: countOf(row, `x_calls${suffix}`) };
}

/** How many values each of some keys has, about. */
export async function distinctValues(report: Report, keys: readonly string[]): Promise<readonly number[]> {
  const found = await distinctOf(report, keys.map(tagDimensionOf));
  return found.map(({ values }) => values);
}
