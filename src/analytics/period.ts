import { LAST_NARROW_SEQ, type AsOf } from '#ledger/store';
import { parseTimeZone, type TimestampMs } from '#std';
import type { Bindings } from './bindings.ts';
import { addDays, dateOf, instantOfLocal, isDate, LAST_QUARTER_MS, startOfDate } from './calendar.ts';
import { invalidQuery, type Parameters } from './parameters.ts';

/** The time a report is about: `[startMs, endMs)`, and the two ends as the caller knows them, both inclusive. */
export type Period = {
  readonly startMs: number;
  readonly endMs: number;
  readonly timeZone: string;
  readonly start: string;
  readonly end: string;
};

export const PERIOD_PARAMETERS = ['start_date', 'end_date', 'timezone'] as const;

const DATE_HINT = 'Give a day as YYYY-MM-DD, or an instant such as 2025-01-31T12:00:00Z.';

/** What a report is about when it names no start: a month, the same for every question. */
const DEFAULT_DAYS = 30;

/**
 * `end_date` may be missing: today. `start_date` may be missing: the 30 days that end there. A day without a time means
 * the whole day, in `timezone` (default UTC).
 */
export function parsePeriod(parameters: Parameters, now: TimestampMs): Period {
  return periodFrom(parameters, parameters.text('start_date') ?? null, now);
}

/** For lists that make sense without dates: everything up to now. */
export function parseOptionalPeriod(parameters: Parameters, now: TimestampMs): Period {
  return periodFrom(parameters, parameters.text('start_date') ?? '1970-01-01', now);
}

/** @param startText null for `DEFAULT_DAYS` before the end */
function periodFrom(parameters: Parameters, startText: string | null, now: TimestampMs): Period {
  const zoneText = parameters.text('timezone') ?? 'UTC';
  const timeZone = parseTimeZone(zoneText);
  if (timeZone === undefined) {
    throw invalidQuery('timezone', `"${zoneText}" is no time zone.`, 'Give an IANA name such as Europe/Berlin.');
  }
  const end = parseMoment('end_date', parameters.text('end_date') ?? dateOf(now, timeZone), timeZone);
  const start = parseMoment('start_date', startText ?? daysBefore(end, timeZone), timeZone);
  if (end.endMs <= start.startMs) {
    throw invalidQuery(
      'end_date',
      `The period ends (${end.text}) before it starts (${start.text}).`,
      'Both ends are inclusive; end_date may be missing, then it is today.',
    );
  }
  return { startMs: start.startMs, endMs: end.endMs, timeZone, start: start.text, end: end.text };
}

function daysBefore(end: Moment, timeZone: string): string {
  return addDays(dateOf(end.endMs - 1, timeZone), 1 - DEFAULT_DAYS);
}

const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/;

type Moment = { readonly startMs: number; readonly endMs: number; readonly text: string };

/** Years outside of these are typing errors, and the store's time type ends there. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2200;

function parseMoment(name: string, text: string, timeZone: string): Moment {
  const moment = isDate(text) ? dayMoment(text, timeZone) : instantMoment(text, timeZone);
  const year = Number(text.slice(0, 4));
  if (moment === undefined || year < FIRST_YEAR || year > LAST_YEAR) {
    throw invalidQuery(name, `"${text}" is no date.`, DATE_HINT);
  }
  return moment;
}

function dayMoment(date: string, timeZone: string): Moment {
  return { startMs: startOfDate(date, timeZone), endMs: startOfDate(addDays(date, 1), timeZone), text: date };
}

function instantMoment(text: string, timeZone: string): Moment | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [, date = '', minute = '', second = '00', fraction = '', zone] = match;
  const local = `${date}T${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}`;
  if (!isDate(date) || Number.isNaN(Date.parse(`${local}Z`))) return undefined;
  // `+0200` is ISO 8601 too, but not what Date.parse reads everywhere.
  const at =
    zone === undefined
      ? instantOfLocal(local, timeZone)
      : Date.parse(local + zone.replace(/^(.\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(at) ? undefined : { startMs: at, endMs: at + 1, text: new Date(at).toISOString() };
}

/**
 * The condition on entries of a period. Bounded by `asOf` too: a report takes several statements, and entries that arrive between
 * them must not make its parts differ from its total.
 */
export function withinPeriod(period: Period, asOf: AsOf, bind: Bindings['bind']): string {
  return `${withinTime(period, bind)} AND ${untilAsOf(asOf, bind)}`;
}

/** True of what an answer of `asOf` may show. */
export function untilAsOf(asOf: AsOf, bind: Bindings['bind'], order: 'narrow_seq' | 'seq' = orderColumn(asOf)): string {
  const until = `${order} <= ${bind('UInt64', asOf.seq)}`;
  return asOf.alone === true ? until : `(node_id != ${bind('String', asOf.nodeId)} OR ${until})`;
}

/** The column that tells entries of a node apart by their order: the narrow one as far as it goes. */
export function orderColumn(asOf: AsOf): 'narrow_seq' | 'seq' {
  return asOf.seq < LAST_NARROW_SEQ ? 'narrow_seq' : 'seq';
}

const QUARTER_MS = 15 * 60 * 1000;

/** True where `quarter` tells what is in the period. */
export function isOfQuarters({ startMs, endMs }: Pick<Period, 'startMs' | 'endMs'>): boolean {
  return startMs % QUARTER_MS === 0 && endMs % QUARTER_MS === 0 && startMs >= 0 && endMs < LAST_QUARTER_MS;
}

/**
 * Days and hours begin with a quarter of an hour, which takes much less to read than the instant; that is used to find the rows, and
 * not read then.
 */
export function withinTime({ startMs, endMs }: Period, bind: Bindings['bind'], read?: 'quarter'): string {
  const start = bind('Int64', startMs);
  const end = bind('Int64', endMs);
  const exactly = `effective_at >= fromUnixTimestamp64Milli(${start}, 'UTC') AND effective_at < fromUnixTimestamp64Milli(${end}, 'UTC')`;
  if (!isOfQuarters({ startMs, endMs })) return exactly;
  const quarters = `quarter >= toDateTime(intDiv(${start}, 1000), 'UTC') AND quarter < toDateTime(intDiv(${end}, 1000), 'UTC')`;
  return read === 'quarter' ? quarters : `indexHint(${exactly}) AND ${quarters}`;
}
