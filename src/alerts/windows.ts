import { windowAt, type Window, type WindowSpan } from '#budgets';
import type { TimestampMs } from '#std';
import type { RuleRecord } from './rule-record.ts';

/** A window of a rule, and the one before it. */
export type RuleWindow = {
  readonly id: string;
  readonly window: { readonly start: TimestampMs; readonly end: TimestampMs };
  readonly before: { readonly start: TimestampMs; readonly end: TimestampMs };
};

/** Calls that began in a window may end, and be recorded, after it. */
const LATE_MS = 10 * 60 * 1000;

type Asked = Pick<RuleRecord, 'evaluatedAt' | 'createdAt'> & { readonly span: Window; readonly now: TimestampMs };

/**
 * The windows that are looked at: the one that runs, and the last one as long as something late could be in it, or as it has not been seen
 * whole. However long the server was away, it is never more than two.
 */
export function windowsToSee({ span, now, evaluatedAt, createdAt }: Asked): readonly RuleWindow[] {
  const current = windowAt(span, now);
  const last = windowAt(span, previousInstant(current));
  const seenWhole = evaluatedAt >= current.start + LATE_MS;
  return seenWhole || last.end <= createdAt
    ? [toWindow(span, current)]
    : [toWindow(span, last), toWindow(span, current)];
}

/** The last window that is over and can no longer change much: what is less than before shows only then. */
export function lastWhole(span: Window, now: TimestampMs): RuleWindow {
  const current = windowAt(span, (now - LATE_MS) as TimestampMs);
  return toWindow(span, windowAt(span, previousInstant(current)));
}

function toWindow(span: Window, { id, start, end }: WindowSpan): RuleWindow {
  const before = windowAt(span, previousInstant({ start }));
  // Another length of window that begins on the same day is another window.
  return { id: `${span.kind} ${id}`, window: { start, end }, before: { start: before.start, end: before.end } };
}

function previousInstant({ start }: { readonly start: TimestampMs }): TimestampMs {
  return (start - 1) as TimestampMs;
}
