import type { TimestampMs } from '#std';
import { hasRates, type DayWindow, type PriceRow } from './price-row.ts';

const DAY_MS = 86_400_000;

/**
 * Puts the rows of one source in force one after the other: a row ends where the next one of its kind begins, a window
 * where any later price of its model begins, or a later window of the same time, on whichever days. Strongest first: windows before what they interrupt, newer before older.
 */
export function chainHistory(rows: readonly PriceRow[]): PriceRow[] {
  const byModel = Map.groupBy(rows, (row) => `${row.provider}\n${row.model}\n${kindOf(row)}`);
  const chained: PriceRow[] = [];
  for (const group of byModel.values()) {
    const ended = group.map((row) => endAtNext(row, group));
    chained.push(...ended.toSorted(strongestFirst));
  }
  return chained;
}

export function isInForce(row: PriceRow, at: TimestampMs): boolean {
  if (row.effectiveFrom !== null && at < row.effectiveFrom) return false;
  if (row.effectiveTo !== null && at >= row.effectiveTo) return false;
  return row.window === undefined || isWithin(row.window, at);
}

function isWithin({ fromSecond, toSecond, days }: DayWindow, at: number): boolean {
  const ofDay = msOfDay(at);
  const [from, to] = [fromSecond * 1000, toSecond * 1000];
  const begun = ofDay >= from;
  if (from <= to ? !begun || ofDay >= to : !begun && ofDay >= to) return false;
  // Behind midnight, what began the day before goes on.
  return days === undefined || days.includes(weekdayOf(begun ? at : at - DAY_MS));
}

/** 1 is Monday; the first of January 1970 was a Thursday. */
function weekdayOf(at: number): number {
  return ((Math.floor(at / DAY_MS) + 3) % 7) + 1;
}

/** Pairs of rows of one source that would price the same model from the same moment on, as texts. */
export function findTwins(rows: readonly PriceRow[]): string[] {
  const seen = new Map<string, string>();
  const twins: string[] = [];
  for (const row of rows) {
    const { fromSecond, toSecond, days } = row.window ?? {};
    const place = [row.provider, row.model, kindOf(row), row.effectiveFrom, fromSecond, toSecond, days].join('\n');
    const other = seen.get(place);
    if (other !== undefined) twins.push(`${other} and ${row.id} hold from the same moment on`);
    seen.set(place, row.id);
  }
  return twins;
}

/** The longest span around `at` in which the same rows are in force; half-open. */
export function spanAround(rows: readonly PriceRow[], at: TimestampMs): { from: number; to: number } {
  const midnight = at - msOfDay(at);
  let [from, to] = [-Infinity, Infinity];
  const boundary = (time: number | null): void => {
    if (time === null) return;
    if (time <= at && time > from) from = time;
    if (time > at && time < to) to = time;
  };
  for (const { effectiveFrom, effectiveTo, window } of rows) {
    boundary(effectiveFrom);
    boundary(effectiveTo);
    if (window === undefined) continue;
    for (const time of [0, window.fromSecond * 1000, window.toSecond * 1000, DAY_MS]) boundary(midnight + time);
  }
  return { from, to };
}

/** A row with rates is all there is to say of its model; of the others each says its own part. */
function kindOf(row: PriceRow): string {
  if (hasRates(row)) return 'rates';
  const { serviceTiers, geo, inherit, contextWindow, maxOutputTokens } = row;
  const parts = { serviceTiers, geo, inherit, limits: contextWindow ?? maxOutputTokens };
  return Object.entries(parts)
    .flatMap(([name, part]) => (part === undefined ? [] : [name]))
    .join('+');
}

function endAtNext(row: PriceRow, group: readonly PriceRow[]): PriceRow {
  let effectiveTo = row.effectiveTo;
  for (const later of group) {
    if (later === row || !endsWith(row, later)) continue;
    if (later.effectiveFrom === null || later.effectiveFrom <= startOf(row)) continue;
    if (effectiveTo === null || later.effectiveFrom < effectiveTo) effectiveTo = later.effectiveFrom;
  }
  return { ...row, effectiveTo };
}

function endsWith(row: PriceRow, later: PriceRow): boolean {
  if (later.window === undefined) return row.window === undefined || startOf(later) > startOf(row);
  return row.window?.fromSecond === later.window.fromSecond && row.window.toSecond === later.window.toSecond;
}

function strongestFirst(left: PriceRow, right: PriceRow): number {
  if ((left.window === undefined) !== (right.window === undefined)) return left.window === undefined ? 1 : -1;
  const [leftStart, rightStart] = [startOf(left), startOf(right)];
  return leftStart === rightStart ? 0 : leftStart > rightStart ? -1 : 1;
}

function startOf(row: PriceRow): number {
  return row.effectiveFrom ?? -Infinity;
}

function msOfDay(at: number): number {
  return ((at % DAY_MS) + DAY_MS) % DAY_MS;
}
