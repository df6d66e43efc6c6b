import { z } from 'zod';
import { parseTimeZone } from '#std';
import { parseUsd, type PicoUsd } from '#terms';

const USD = /^\d{1,12}(\.\d{1,12})?$/;

const USD_WORDS = 'an amount in US dollars as a string, such as "12.50"';

/** An exact amount that is not negative. */
export const usd = z.string(USD_WORDS).transform((text, context): PicoUsd => {
  const amount = USD.test(text) ? parseUsd(text) : undefined;
  if (amount !== undefined) return amount;
  context.addIssue({ code: 'custom', message: USD_WORDS });
  return z.NEVER;
});

/** In hundredths of a percent it is whole, so that money is compared exactly. */
export const percent = z.number().min(0.01).max(1_000_000).multipleOf(0.01);

export const count = z.int().min(1).max(1_000_000_000);

export const zone = z
  .string()
  .refine((text) => parseTimeZone(text) !== undefined, 'an IANA time zone such as Europe/Berlin');
