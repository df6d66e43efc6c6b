import { z } from 'zod';
import { formatUsd, parseUsd } from '#terms';

const WORDS = 'an amount in US dollars of at most 12 decimals: "12.5" or 12.5';

/** Beyond this no amount of money is meant. */
const MOST_WHOLE_DIGITS = 12;

/**
 * Dollars as decimal text. Numbers are taken too, for LiteLLM's clients send them; one is read as it would be written down,
 * so that 0.1 is a tenth.
 */
export const usdField = z.union([z.string(), z.number()], WORDS).transform((given, context): string => {
  const text = typeof given === 'number' ? decimalText(given) : given.trim();
  const amount = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? parseUsd(text) : undefined;
  if (amount !== undefined) return formatUsd(amount);
  context.addIssue({ code: 'custom', message: WORDS });
  return z.NEVER;
});

/** Without exponent. Below a millionth twelve decimals are all there are in a double of that size that matter here. */
function decimalText(given: number): string {
  const text = String(given);
  return text.includes('e-') ? given.toFixed(MOST_WHOLE_DIGITS) : text;
}
