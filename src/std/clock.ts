declare const timestampMs: unique symbol;

/** Milliseconds since 1970, UTC. */
export type TimestampMs = number & { readonly [timestampMs]: true };

export type Clock = {
  /** Wall clock anchored once at start and advanced monotonically: a jump of the system clock cannot reorder calls. */
  now(): TimestampMs;
  /** Monotonic milliseconds, for durations only. */
  elapsedMs(): number;
};

const anchorWallMs = Date.now();
const anchorMonotonicMs = performance.now();

export const systemClock: Clock = {
  now: () => Math.floor(anchorWallMs + performance.now() - anchorMonotonicMs) as TimestampMs,
  elapsedMs: () => performance.now(),
};
