import { type TimestampMs } from '#std';
import { type Rule } from './scope-index.ts';
import { windowAt, windowKey, type Window } from './window.ts';

/**
 * How a limit gives back what was taken. A bucket refills steadily, `amount` in `perMs`, and holds `burst` at most: no period
 * of that length sees more than both together. A window gives everything back when it ends.
 */
export type Pace =
  | { readonly kind: 'bucket'; readonly perMs: number; readonly burst: bigint }
  | { readonly kind: 'window'; readonly window: Exclude<Window, { readonly kind: 'rolling' }> };

/** `amount` counts requests, tokens, pico-dollars, or calls that run at the same time. */
export type RateLimit = Rule & { readonly name: string; readonly amount: bigint } & (
    | { readonly measure: 'requests' | 'tokens' | 'usd'; readonly pace: Pace }
    | { readonly measure: 'parallel' }
  );

/** What was taken from a limit by one scope instance. */
export type Gauge = {
  /** Bucket: units × `perMs`, so that a leak of any number of milliseconds is exact. Otherwise units. */
  taken: bigint;
  /** Bucket: when `taken` was true. Window: its start. */
  since: TimestampMs;
  /** Window: its end. */
  until: TimestampMs;
  /** Calls that have not finished. */
  open: number;
};

/** Limits with the same key mean the same by what was taken: an edit of the amount keeps it. */
export function limitKey(limit: RateLimit): string {
  if (limit.measure === 'parallel') return `${limit.id} parallel`;
  const pace = limit.pace.kind === 'bucket' ? `${limit.pace.perMs} ms` : windowKey(limit.pace.window);
  return `${limit.id} ${limit.measure} ${pace}`;
}

/** The most that can be taken at once. */
export function capacityOf(limit: RateLimit): bigint {
  return limit.measure !== 'parallel' && limit.pace.kind === 'bucket' ? limit.pace.burst : limit.amount;
}

export function newGauge(limit: RateLimit, at: TimestampMs): Gauge {
  const isWindow = limit.measure !== 'parallel' && limit.pace.kind === 'window';
  const { start, end } = isWindow ? windowAt(limit.pace.window, at) : { start: at, end: at };
  return { taken: 0n, since: start, until: end, open: 0 };
}

/** Gives back what the time since has given back. Time that runs backwards gives nothing. */
export function bringTo(gauge: Gauge, limit: RateLimit, at: TimestampMs): void {
  if (limit.measure === 'parallel') return;
  if (limit.pace.kind === 'window') {
    if (at < gauge.until) return;
    const { start, end } = windowAt(limit.pace.window, at);
    gauge.taken = 0n;
    gauge.since = start;
    gauge.until = end;
    return;
  }
  if (at <= gauge.since) return;
  const left = gauge.taken - limit.amount * BigInt(at - gauge.since);
  gauge.taken = left > 0n ? left : 0n;
  gauge.since = at;
}

function unitOf(limit: RateLimit): bigint {
  return limit.measure !== 'parallel' && limit.pace.kind === 'bucket' ? BigInt(limit.pace.perMs) : 1n;
}

/** Takes or gives back; more cannot come back than was taken. The gauge has been brought to now. */
export function take(gauge: Gauge, limit: RateLimit, units: bigint): void {
  const taken = gauge.taken + units * unitOf(limit);
  gauge.taken = taken > 0n ? taken : 0n;
}

/** Whole units that are left, never negative. */
export function remaining(gauge: Gauge, limit: RateLimit): bigint {
  const unit = unitOf(limit);
  const left = capacityOf(limit) * unit - gauge.taken;
  return left > 0n ? left / unit : 0n;
}

export function fits(gauge: Gauge, limit: RateLimit, units: bigint): boolean {
  return gauge.taken + units * unitOf(limit) <= capacityOf(limit) * unitOf(limit);
}

/** Milliseconds until `units` fit if nothing else is taken; null when time alone does not bring it. */
export function waitMs(gauge: Gauge, limit: RateLimit, given: { units: bigint; at: TimestampMs }): number | null {
  if (fits(gauge, limit, given.units)) return 0;
  if (given.units > capacityOf(limit) || limit.measure === 'parallel') return null;
  if (limit.pace.kind === 'window') return gauge.until - given.at;
  if (limit.amount === 0n) return null;
  const missing = gauge.taken + (given.units - capacityOf(limit)) * unitOf(limit);
  return Number((missing + limit.amount - 1n) / limit.amount);
}

/** Milliseconds until everything is given back; null for calls that run: nobody knows when they end. */
export function resetMs(gauge: Gauge, limit: RateLimit, at: TimestampMs): number | null {
  return gauge.taken === 0n ? 0 : waitMs(gauge, limit, { units: capacityOf(limit), at });
}
