import { FROM_NARROW, NARROW_SUMS, NARROW_TERMS, WIDE } from '../narrow-columns.ts';
import { ENTRIES } from '../schema.ts';
import { SUMMED } from './schema.ts';

export type RowsAsked = {
  /** Columns to tell apart, as `expression AS name`. */
  readonly columns: readonly { readonly as: string; readonly sql: string }[];
  /** What of the time is told apart: an expression of `quarter`. Null for nothing. */
  readonly time: string | null;
  /** Which entries. */
  readonly where: string;
};

const MEASURED = SUMMED.map((name) => `${FROM_NARROW[name]} AS ${name}`).join(', ');

/**
 * Entries summed up while they are read, as a SELECT of rows like those of `sums`: the columns, `quarter`, `seq`, `first_at`, `last_at`, `end_at`,
 * and what is summed up. `quarter` is one of those that `time` does not tell apart. Rows of one value and time are several.
 */
export function summedRowsOf({ columns, time, where }: RowsAsked): string {
  const told = columns.map(({ as, sql }) => `${sql} AS ${as}, `).join('');
  const names = columns.map(({ as }) => `${as}, `).join('');
  const unit = time === null ? '' : `${time} AS n_time, `;
  return `SELECT ${names}n_quarter AS quarter, n_seq AS seq, n_first AS first_at, n_last AS last_at, n_end AS end_at, ${MEASURED}
    FROM (SELECT *, ${NARROW_TERMS} FROM (SELECT ${told}${unit}min(quarter) AS n_quarter, max(seq) AS n_seq, min(effective_at) AS n_first, max(effective_at) AS n_last,
        max(${END}) AS n_end, ${NARROW_SUMS}
      FROM ${ENTRIES} WHERE ${where} AND traits != ${WIDE} GROUP BY ALL))
    UNION ALL SELECT ${told}quarter, seq, effective_at AS first_at, effective_at AS last_at, ${END} AS end_at, ${SUMMED.join(', ')}
      FROM ${ENTRIES} WHERE ${where} AND traits = ${WIDE}`;
}

const END = 'effective_at + toIntervalMillisecond(latency_ms)';
