import { type TimestampMs } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { committed } from './tally.ts';
import { type Standing } from './standing.ts';
import { type Window } from './window.ts';

/** What a window will have cost at its end, should spending go on as it did since it began. */
export type Forecast = {
  readonly atEnd: PicoUsd;
  /** When the limit will be reached at that pace; null when the window ends before, or nothing was spent. */
  readonly reachesLimitAt: TimestampMs | null;
};

/** One part in so many of a window must be over before its end is guessed from it. */
const LEAST_PART = 20;

/**
 * The forecast of the window a standing is of, never of another length of time: a daily budget's ends today. Null where there is no
 * end to foretell (`rolling`, `total`), and where too little of the window is over to say anything.
 */
export function forecastOf(
  standing: Pick<Standing, 'start' | 'end' | 'limit' | 'spent' | 'atRisk'>,
  { window, at }: { readonly window: Window; readonly at: TimestampMs },
): Forecast | null {
  const { start, end, limit } = standing;
  if (window.kind === 'rolling' || window.kind === 'total') return null;
  const [passed, whole] = [at - start, end - start];
  if (passed <= 0 || passed > whole || passed * LEAST_PART < whole) return null;
  const soFar = committed({ ...NOTHING_HELD, spent: standing.spent, atRisk: standing.atRisk });
  const atEnd = picoUsd((soFar * BigInt(whole)) / BigInt(passed));
  return { atEnd, reachesLimitAt: reachedAt({ soFar, limit, start, end, passed }) };
}

const NOTHING_HELD = { most: 0n, likely: 0n, overrun: 0n, unbounded: 0, unpriced: 0 };

type Pace = {
  readonly soFar: bigint;
  readonly limit: bigint;
  readonly start: number;
  readonly end: number;
  readonly passed: number;
};

function reachedAt({ soFar, limit, start, end, passed }: Pace): TimestampMs | null {
  if (soFar === 0n) return null;
  const afterMs = (limit * BigInt(passed) + soFar - 1n) / soFar;
  return afterMs < BigInt(end - start) ? ((start + Number(afterMs)) as TimestampMs) : null;
}
