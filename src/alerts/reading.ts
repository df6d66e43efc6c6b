import type { TimestampMs } from '#std';
import { formatUsd, PICO_PER_USD, picoUsd, type PicoUsd } from '#terms';

/** Something that a rule found to be over what it allows. What is not over has no reading. */
export type Reading = {
  /** The value of `for_each`, a budget and its instance, a kind of trouble; empty for everything as a whole. */
  readonly instance: string;
  readonly windowId: string;
  readonly window: { readonly start: TimestampMs; readonly end: TimestampMs };
  /** What was passed, as a text: another limit is another crossing. */
  readonly threshold: string;
  /** Goes on into the next window without being told again, as that is only a step of the same one. */
  readonly lasts: boolean;
  readonly said: Said;
};

/** What a notification says: a sentence, and the figures in it, money as exact text. */
export type Said = {
  readonly sentence: string;
  readonly figures: Readonly<Record<string, string | number | null>>;
};

/** Money for people: cents from a dollar on, else all of it. The figures beside it are exact. */
export function usdText(amount: PicoUsd): string {
  const size = amount < 0n ? -amount : amount;
  if (size < PICO_PER_USD) return `$${formatUsd(amount)}`;
  const cent = PICO_PER_USD / 100n;
  const cents = (size + cent / 2n) / cent;
  const text = `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
  return `${amount < 0n ? '-' : ''}$${text}`;
}

/** Whether `part` is at least so many percent of `whole`, exactly. */
export function isShare(part: bigint, whole: bigint, percent: number): boolean {
  return part * 10_000n >= whole * BigInt(Math.round(percent * 100));
}

/** For people, to a tenth; null where the whole is nothing. */
export function percentOf(part: bigint, whole: bigint): number | null {
  return whole <= 0n ? null : Number((part * 1000n) / whole) / 10;
}

export function absolute(amount: PicoUsd): PicoUsd {
  return amount < 0n ? picoUsd(-amount) : amount;
}
