import { formatUsd, parseUsd, PICO_PER_USD, picoUsd, sumUsd } from '#terms';

/** What stands where an amount is unknown: an unpriced call is not a free one. */
export const UNKNOWN_AMOUNT = '–';

const FRACTION_DIGITS = 12;
const TINY_SIGNIFICANT_DIGITS = 4;
const CENT = PICO_PER_USD / 100n;

/**
 * Dollars with as many digits as tell something: `$54.20`, `$0.0123`, `$0.0000215`. A non-zero amount never reads `$0.00`.
 * @param exact decimal USD, as the API's `…_exact` fields carry it
 */
export function formatMoney(exact: string): string {
  const pico = parseUsd(exact);
  if (pico === undefined) return `$${exact}`;
  const size = pico < 0n ? -pico : pico;
  return `${pico < 0n ? '-' : ''}$${readable(size)}`;
}

/** Every digit the ledger holds. */
export function formatExactMoney(exact: string): string {
  return exact.startsWith('-') ? `-$${exact.slice(1)}` : `$${exact}`;
}

/** The sum of decimal USD; `undefined` when one of them is no amount. */
export function addMoney(amounts: readonly string[]): string | undefined {
  const pico = amounts.map((amount) => parseUsd(amount));
  const known = pico.filter((amount) => amount !== undefined);
  return known.length < pico.length ? undefined : formatUsd(sumUsd(known));
}

/** What a thousand requests cost, as decimal USD; `undefined` without requests. */
export function costPerThousand(exact: string, requests: number): string | undefined {
  const pico = parseUsd(exact);
  if (pico === undefined || requests <= 0) return undefined;
  return formatUsd(picoUsd(divideHalfEven(pico * 1000n, BigInt(requests))));
}

export function isZeroMoney(exact: string): boolean {
  return parseUsd(exact) === 0n;
}

/** The part's share of the whole, 0…1; 0 when the whole is zero. */
export function shareOf(part: string, whole: string): number {
  const above = parseUsd(part);
  const below = parseUsd(whole);
  if (above === undefined || below === undefined || below === 0n) return 0;
  return Number(above) / Number(below);
}

function readable(size: bigint): string {
  if (size === 0n) return '0.00';
  if (size >= PICO_PER_USD) return fixed(size, 2);
  if (size >= CENT) return trimmed(fixed(size, 4));
  const leadingZeros = FRACTION_DIGITS - size.toString().length;
  return trimmed(fixed(size, Math.min(FRACTION_DIGITS, leadingZeros + TINY_SIGNIFICANT_DIGITS)));
}

function fixed(size: bigint, decimals: number): string {
  const unit = 10n ** BigInt(FRACTION_DIGITS - decimals);
  const digits = divideHalfEven(size, unit)
    .toString()
    .padStart(decimals + 1, '0');
  const whole = digits.slice(0, -decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${whole}.${digits.slice(-decimals)}`;
}

/** Zeros beyond the cents say nothing. */
function trimmed(decimal: string): string {
  return decimal.replace(/(\.\d\d\d*?)0+$/, '$1');
}

function divideHalfEven(value: bigint, by: bigint): bigint {
  const size = value < 0n ? -value : value;
  const floor = size / by;
  const twice = (size % by) * 2n;
  const rounded = twice > by || (twice === by && floor % 2n === 1n) ? floor + 1n : floor;
  return value < 0n ? -rounded : rounded;
}
