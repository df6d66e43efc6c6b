import { z } from 'zod';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';

export type Expiry =
  | { readonly kind: 'never' }
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'at'; readonly time: TimestampMs };

export const expiryFields = {
  duration: z.string().nullish(),
  expires: z.iso.datetime({ offset: true }).nullish(),
};

type ExpiryFields = { readonly duration?: string | null | undefined; readonly expires?: string | null | undefined };

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A century: beyond it a time stamp means a typing error, and far beyond it stops being a date. */
const LONGEST_MS = 100 * 366 * 86_400_000;

/** LiteLLM's word for a key that does not expire. */
const NEVER = '-1';

/** @returns undefined when neither field is there; null in one of them means never */
export function parseExpiry({ duration, expires }: ExpiryFields): Expiry | undefined {
  const hasDuration = duration !== undefined && duration !== null;
  if (expires !== undefined && expires !== null) {
    if (hasDuration) {
      throw new ApportionError('invalid_field', 'Send duration or expires, not both.', { param: 'expires' });
    }
    return { kind: 'at', time: Date.parse(expires) as TimestampMs };
  }
  if (!hasDuration) return duration === null || expires === null ? { kind: 'never' } : undefined;
  return duration === NEVER ? { kind: 'never' } : { kind: 'after', ms: parseDuration(duration, 'duration') };
}

/** Throws `invalid_field` naming `param`. */
export function parseDuration(duration: string, param: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(duration) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw new ApportionError('invalid_field', `${param} is not a length of time.`, {
    param,
    hint: 'Write a number and s, m, h, d or w, such as "12h" or "30d"; leave it out for none.',
  });
}

export function expiryAt(expiry: Expiry, now: TimestampMs): TimestampMs | null {
  if (expiry.kind === 'never') return null;
  const at = expiry.kind === 'at' ? expiry.time : ((now + expiry.ms) as TimestampMs);
  if (at > now) return at;
  throw new ApportionError('invalid_field', 'expires lies in the past.', { param: 'expires' });
}
