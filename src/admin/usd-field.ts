import { z } from 'zod';
import { parseUsd, type PicoUsd } from '#terms';

/** Beyond this no amount of money is meant, and sums of many stay far from where the store's numbers end. */
const MOST_WHOLE_DIGITS = 12;

const SIGNED = new RegExp(String.raw`^-?\d{1,${MOST_WHOLE_DIGITS}}(\.\d{1,12})?$`);

const WORDS = 'an exact amount in US dollars as a string, such as "-12.34", with at most 12 decimals';

/** An exact amount; a JSON number would have lost digits before anybody could tell. */
export const signedUsd = z.string(WORDS).transform((text, context): PicoUsd => {
  const amount = SIGNED.test(text.trim()) ? parseUsd(text.trim()) : undefined;
  if (amount !== undefined) return amount;
  context.addIssue({ code: 'custom', message: WORDS });
  return z.NEVER;
});

export const positiveUsd = signedUsd.refine((amount) => amount >= 0n, 'a cost is not below zero');
