import { invariant } from '#std';
import { SESSION } from './grouping.ts';
import type { Page } from './page.ts';
import { countOf, textOf, textsOf, type Row } from './reader.ts';
import type { Report } from './report.ts';

export const SESSION_SORTS = ['cost', 'turns', 'recent', 'duration'] as const;

export type SessionSort = (typeof SESSION_SORTS)[number];

/** A session of a page, and when its first and its last entry began. */
export type FoundSession = { readonly id: string; readonly firstMs: number; readonly lastMs: number };

export type Ranking = {
  /** `x_sessions`, `x_max`, `x_median`, `x_durations` over all of them. */
  readonly shape: Row;
  readonly found: readonly FoundSession[];
};

/** Each session with what it is put in order by. */
const EACH = `SELECT assumeNotNull(g) AS id, coalesce(sum(cost), 0) AS cost_in, sum(counts_call) AS turns_in,
  toUnixTimestamp64Milli(min(first_at)) AS first_in, toUnixTimestamp64Milli(max(last_at)) AS last_in,
  toUnixTimestamp64Milli(max(end_at)) - first_in AS duration_in`;

/** When it began and ended, of rows of one session. */
export const SESSION_TIMES = `toUnixTimestamp64Milli(min(first_at)) AS x_first, toUnixTimestamp64Milli(max(last_at)) AS x_last,
  toUnixTimestamp64Milli(max(end_at)) - x_first AS x_duration`;

const ORDER: Readonly<Record<SessionSort, string>> = {
  cost: 'cost_in',
  turns: 'turns_in',
  recent: 'last_in',
  duration: 'duration_in',
};

/** Sessions up to the end of the page that are kept while all are looked at; a page further behind takes a statement of its own. */
const MOST_KEPT = 10_000;

/** Which sessions are on a page, and what all of them are like. */
export async function rankedSessions(
  report: Report,
  { sort, page }: { readonly sort: SessionSort; readonly page: Page },
): Promise<Ranking> {
  const kept = page.offset + page.limit;
  const isNear = kept <= MOST_KEPT;
  const [[shape], far] = await Promise.all([
    report.sums(
      SESSION,
      (from, { bind }) => `SELECT count() AS x_sessions, toString(coalesce(max(cost_in), 0)) AS x_max,
        toString(coalesce(quantileExactLow(0.5)(toDecimal128(cost_in, 0)), 0)) AS x_median, toString(sum(duration_in)) AS x_durations,
        arraySlice(groupArraySorted(${isNear ? kept : 1})((-${ORDER[sort]}, id, first_in, last_in)), ${bind('UInt32', page.offset)} + 1) AS p,
        arrayMap(s -> s.2, p) AS x_ids, arrayMap(s -> toString(s.3), p) AS x_firsts, arrayMap(s -> toString(s.4), p) AS x_lasts
        FROM (${EACH} ${from} WHERE isNotNull(g) GROUP BY id)`,
    ),
    isNear ? [] : farPage(report, { sort, page }),
  ]);
  invariant(shape !== undefined, 'a sum without groups is one row');
  return { shape, found: isNear ? nearPage(shape) : far };
}

function nearPage(row: Row): readonly FoundSession[] {
  const [firsts, lasts] = [textsOf(row, 'x_firsts'), textsOf(row, 'x_lasts')];
  return textsOf(row, 'x_ids').map((id, at) => ({ id, firstMs: Number(firsts[at]), lastMs: Number(lasts[at]) }));
}

async function farPage(
  report: Report,
  { sort, page }: { readonly sort: SessionSort; readonly page: Page },
): Promise<readonly FoundSession[]> {
  const rows = await report.sums(
    SESSION,
    (from, { bind }) => `${EACH} ${from} WHERE isNotNull(g) GROUP BY id ORDER BY ${ORDER[sort]} DESC, id
      LIMIT ${bind('UInt32', page.limit)} OFFSET ${bind('UInt32', page.offset)}`,
  );
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    firstMs: countOf(row, 'first_in'),
    lastMs: countOf(row, 'last_in'),
  }));
}

const HOUR_MS = 3_600_000;

/** More hours than these are not told apart: all of the period is looked through. */
const MOST_HOURS = 5_000;

/** A condition on entries or their sums: the hours from the first to the last entry of each session, in which theirs are looked for. */
export function hoursOf(found: readonly FoundSession[], column: 'effective_at' | 'quarter'): string {
  const hours = new Set<number>();
  for (const { firstMs, lastMs } of found) {
    for (let hour = Math.floor(firstMs / HOUR_MS); hour * HOUR_MS <= lastMs; hour += 1) {
      hours.add(hour);
      if (hours.size > MOST_HOURS) return '1';
    }
  }
  const starts = Array.from(hours, (hour) => `toDateTime(${(hour * HOUR_MS) / 1000}, 'UTC')`);
  return `toStartOfHour(${column}) IN (${starts.join(', ')})`;
}
