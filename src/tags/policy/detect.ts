import { isCardNumber } from './card-number.ts';
import { isHashed } from './marks.ts';
import { holdsSecret } from './secret.ts';
import { type DetectedKind } from './tag-policy.ts';

const NOTHING: readonly DetectedKind[] = [];

const CODE = { at: 0x40, percent: 0x25, zero: 0x30, nine: 0x39, colon: 0x3a, slash: 0x2f, upperA: 0x41, upperZ: 0x5a };

/** The shortest e-mail address, `a@b.co`. */
const FEWEST_CHARS = 6;

/** The shortest phone number that is taken for one. */
const FEWEST_DIGITS = 8;

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
  let digits = 0;
  let capitals = 0;
  let at = false;
  let address = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > CODE.upperZ) continue;
    if (code >= CODE.zero && code <= CODE.nine) digits += 1;
    else if (code >= CODE.upperA) capitals += 1;
    else if (code === CODE.at || code === CODE.percent) at = true;
    else if (code === CODE.colon && text.charCodeAt(index + 1) === CODE.slash) address = true;
  }
  // Keys are random characters: some of them are digits or capitals.
  const secret = text.length >= FEWEST_SECRET_CHARS && (digits + capitals > 0 || address);
  return at || secret || digits >= FEWEST_DIGITS ? lookInto(text, { at, digits, secret }) : NOTHING;
}

function lookInto(text: string, hints: { at: boolean; digits: number; secret: boolean }): readonly DetectedKind[] {
  if (isHashed(text)) return NOTHING;
  const found: DetectedKind[] = [];
  if (hints.at && EMAIL.test(text)) found.push('email');
  if (hints.digits >= FEWEST_DIGITS) {
    const rest = text.replace(HEX_RUN, (run) => (ALL_DIGITS.test(run) ? run : '_'));
    if (INTERNATIONAL.test(rest) || NORTH_AMERICAN.test(rest)) found.push('phone');
    if (rest.match(CARD_LIKE)?.some(isCardNumber) === true) found.push('card');
  }
  if (hints.secret && holdsSecret(text)) found.push('secret');
  return found.length === 0 ? NOTHING : found;
}
