/** Lengths and first digits as the networks issue them; an id of 16 digits rarely begins like one and passes the sum. */
const NETWORKS: readonly RegExp[] = [
  /^4\d{15}$/, // Visa
  /^(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}$/, // Mastercard
  /^3[47]\d{13}$/, // American Express
  /^(?:6011|64[4-9]\d|65\d{2})\d{12}$/, // Discover
  /^35(?:2[89]|[3-8]\d)\d{12}$/, // JCB
  /^3(?:0[0-5]|[68]\d)\d{11}$/, // Diners Club
  /^62\d{14,17}$/, // UnionPay
];

/** How cards are written: without gaps, or in the groups printed on them. */
const GROUPED = /^(?:\d+|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})$/;

/** @param text digits with single spaces or dashes between them */
export function isCardNumber(text: string): boolean {
  if (!GROUPED.test(text)) return false;
  const digits = text.replaceAll(/\D/g, '');
  return NETWORKS.some((network) => network.test(digits)) && passesLuhn(digits);
}

/** The check sum of card numbers (ISO/IEC 7812-1, annex B). */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
