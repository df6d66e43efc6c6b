import { isCardNumber } from './card-number.ts';
import { isHashed } from './marks.ts';
import { holdsSecret } from './secret.ts';
import { type DetectedKind } from './tag-policy.ts';

const NOTHING: readonly DetectedKind[] = [];

const CODE = {
  space: 0x20,
  percent: 0x25,
  plus: 0x2b,
  dot: 0x2e,
  slash: 0x2f,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  at: 0x40,
  upperA: 0x41,
  upperZ: 0x5a,
};

/** The shortest e-mail address, `a@b.co`. */
const FEWEST_CHARS = 6;

/** The shortest number that is taken for a phone, with its country and without. */
const FEWEST_DIGITS = { international: 8, national: 10 };

/** The shortest text that can hold a secret (`xoxb-` and ten more). */
const FEWEST_SECRET_CHARS = 15;

/** 8-4-4-4-12 and long hexadecimal runs are ids; their digits are no card and no phone. */
const HEX_RUN = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,}/gi;

const ALL_DIGITS = /^\d+$/;

const CARD_LIKE = /(?<![\p{L}\p{N}])\d(?:[ -]?\d){13,18}(?![\p{L}\p{N}]|[ -]\d)/gu;

/** Neither `git@github.com:org/repo` nor `package@1.0.beta`. */
const EMAIL =
  /(?<![\p{L}\p{N}])(?!git(?:@|%40))[\p{L}\p{N}][\p{L}\p{N}.!#$&'*+/=?^_`{|}~-]{0,63}(?:@|%40)(?!\d+\.\d)(?:[\p{L}\d][\p{L}\d-]{0,62}\.){1,8}\p{L}{2,}/iu;

/** `+` and the country, 8 to 15 digits in all; or the spelling of North America. Others cannot be told from ids. */
const INTERNATIONAL = /(?:^|[^\p{L}\p{N}+.])(?:\+|%2B)[1-9](?:[ ().-]{0,2}\d){7,14}(?![\p{L}\p{N}])/iu;
const NORTH_AMERICAN =
  /(?<![\p{L}\p{N}.-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\p{L}\p{N}.-])/u;

/**
 * What a text holds that should not stand in a tag. Own patterns on purpose: libphonenumber-js needs a region for numbers
 * without a country and passes over numbers no plan knows (+1 555 …), at 10 µs a text; the card and key shapes are few lines.
 */
export function detect(text: string): readonly DetectedKind[] {
  if (text.length < FEWEST_CHARS) return NOTHING;
  const seen = glance(text);
  return seen === null ? NOTHING : lookInto(text, seen);
}

type Seen = { readonly email: boolean; readonly number: boolean; readonly secret: boolean };

/** What a text may hold by its characters alone: most tags are done here, at a few nanoseconds a character. */
function glance(text: string): Seen | null {
  let run = 0;
  let longestRun = 0;
  let keyChars = 0;
  let email = false;
  let plus = false;
  let address = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= CODE.zero && code <= CODE.nine) {
      keyChars += 1;
      run += 1;
      if (run > longestRun) longestRun = run;
    } else if (code === CODE.plus || code === CODE.percent) {
      plus = true;
      if (code === CODE.percent) email = true;
    } else if (code < CODE.space || code > CODE.dot) {
      // Only what stands between the digits of a number leaves its run whole.
      run = 0;
      if (code >= CODE.upperA && code <= CODE.upperZ) keyChars += 1;
      else if (code === CODE.at) email = true;
      else if (code === CODE.colon && text.charCodeAt(index + 1) === CODE.slash) address = true;
    }
  }
  const number = longestRun >= (plus ? FEWEST_DIGITS.international : FEWEST_DIGITS.national);
  // Keys are random characters: some of them are digits or capitals.
  const secret = text.length >= FEWEST_SECRET_CHARS && (keyChars > 0 || address);
  return email || number || secret ? { email, number, secret } : null;
}

function lookInto(text: string, seen: Seen): readonly DetectedKind[] {
  if (isHashed(text)) return NOTHING;
  const found: DetectedKind[] = [];
  if (seen.email && EMAIL.test(text)) found.push('email');
  if (seen.number) {
    const rest = text.replace(HEX_RUN, (run) => (ALL_DIGITS.test(run) ? run : '_'));
    if (INTERNATIONAL.test(rest) || NORTH_AMERICAN.test(rest)) found.push('phone');
    if (rest.match(CARD_LIKE)?.some(isCardNumber) === true) found.push('card');
  }
  if (seen.secret && holdsSecret(text)) found.push('secret');
  return found.length === 0 ? NOTHING : found;
}
