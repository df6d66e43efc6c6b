/**
 * Is: the few things every module needs and no module owns: clock, invariant.
 * Owns: the only access to time. Not: anything that knows what Apportion does.
 * Holds: `now` never runs backwards within a process.
 * Fails: `invariant` throws; nothing else can.
 */
export { systemClock, type Clock, type TimestampMs } from './clock.ts';
export { invariant, InvariantError } from './invariant.ts';
