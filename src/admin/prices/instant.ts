import type { TimestampMs } from '#std';

/** ISO 8601 in UTC; null stays what it means: as far back as is known, or until further notice. */
export function toWireInstant(at: TimestampMs | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
