import { PICO_PER_USD, picoUsd, type PicoUsd, type UnitPrice } from '#terms';

/** A non-negative exact fraction in lowest terms. */
export type Ratio = { readonly num: bigint; readonly den: bigint };

const DECIMAL = /^(\d{1,30})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/;
const FRACTION = /^(\d{1,30})\/([1-9]\d{0,29})$/;

/** Reads `0.15`, `2.85e-05` or `1/12`; undefined for anything else, negative numbers included. */
export function parseRatio(text: string): Ratio | undefined {
  const fraction = FRACTION.exec(text);
  if (fraction !== null) return reduce(BigInt(fraction[1] ?? ''), BigInt(fraction[2] ?? ''));
  const decimal = DECIMAL.exec(text);
  if (decimal === null) return undefined;
  const [, whole = '', places = '', exponent = '0'] = decimal;
  const scale = Number(exponent) - places.length;
  const digits = BigInt(whole + places);
  return scale >= 0 ? { num: digits * 10n ** BigInt(scale), den: 1n } : reduce(digits, 10n ** BigInt(-scale));
}

/** The finite decimal where there is one, else `n/d`: the text form of `UnitPrice.amount`. */
export function formatRatio({ num, den }: Ratio): string {
  let rest = den;
  let places = 0;
  while (rest % 10n === 0n) [rest, places] = [rest / 10n, places + 1];
  while (rest % 2n === 0n) [rest, places] = [rest / 2n, places + 1];
  while (rest % 5n === 0n) [rest, places] = [rest / 5n, places + 1];
  if (rest !== 1n) return `${num}/${den}`;
  if (places === 0) return num.toString();
  const digits = ((num * 10n ** BigInt(places)) / den).toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

export function multiply(left: Ratio, right: Ratio): Ratio {
  return reduce(left.num * right.num, left.den * right.den);
}

/** Pico-dollars of one unit, exact; undefined when the price is no price. */
export function picoPerUnit(price: UnitPrice): Ratio | undefined {
  const amount = parseRatio(price.amount);
  if (amount === undefined || !Number.isSafeInteger(price.per) || price.per < 1) return undefined;
  return reduce(amount.num * PICO_PER_USD, amount.den * BigInt(price.per));
}

export function toPico(usd: Ratio): PicoUsd {
  return picoUsd(divideHalfEven(usd.num * PICO_PER_USD, usd.den));
}

/** Half to even, so that rounding many lines favours neither side. For non-negative numbers. */
export function divideHalfEven(num: bigint, den: bigint): bigint {
  const quotient = num / den;
  const twice = (num % den) * 2n;
  if (twice < den) return quotient;
  if (twice > den) return quotient + 1n;
  return quotient + (quotient & 1n);
}

export function divideUp(num: bigint, den: bigint): bigint {
  return (num + den - 1n) / den;
}

function reduce(num: bigint, den: bigint): Ratio {
  let [a, b] = [num, den];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n || a === 1n ? { num, den } : { num: num / a, den: den / a };
}
