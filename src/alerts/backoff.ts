import type { RandomBytes } from '#accounts';

export type Backoff = { readonly firstMs: number; readonly mostMs: number };

export const BACKOFF: Backoff = { firstMs: 10_000, mostMs: 15 * 60_000 };

/** The wait after so many failures: twice as long each time, and half of it by chance, so that not all come back at once. */
export function waitAfter(failures: number, { firstMs, mostMs }: Backoff, random: RandomBytes): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 30));
  const [high = 0, low = 0] = random(2);
  return Math.round(whole / 2 + (whole / 2) * ((high * 256 + low) / 65_536));
}
