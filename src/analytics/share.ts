import type { PicoUsd } from '#terms';

/** How much of a whole, to six places; null where the whole is nothing. */
export function shareOf(part: PicoUsd, whole: PicoUsd): number | null {
  return whole <= 0n ? null : Number((part * 1_000_000n) / whole) / 1_000_000;
}

/** The same in percent, to four places. */
export function percentOf(part: PicoUsd, whole: PicoUsd): number | null {
  return whole <= 0n ? null : Number((part * 1_000_000n) / whole) / 10_000;
}
