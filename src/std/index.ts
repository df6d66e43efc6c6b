/**
 * Is: the few things every module needs and no module owns: clock, random bytes, invariant, time zones, a scan of JSON bytes, the nearest name, what the system's errors mean.
 * Owns: the only access to time and chance. Not: anything that knows what Apportion does.
 * Holds: `now` never runs backwards within a process.
 * Fails: `invariant` throws; a scan answers where and why it stopped.
 */
export { systemClock, type Clock, type TimestampMs } from './clock.ts';
export { invariant, InvariantError } from './invariant.ts';
export { jsonValueEnd, scanJsonObject, type JsonMember, type JsonScan } from './json-members.ts';
export { createRandom, type Random } from './random.ts';
export { nearestName } from './nearest-name.ts';
export { describeSystemError } from './system-error.ts';
export { parseTimeZone, zoneOffsetMs } from './time-zone.ts';
