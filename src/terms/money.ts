declare const picoUsdBrand: unique symbol;

/** An amount of money in pico-dollars: 1 USD = 1e12. Always an integer, so sums never drift. */
export type PicoUsd = bigint & { readonly [picoUsdBrand]: true };

export const PICO_PER_USD = 1_000_000_000_000n;

export const ZERO_USD = 0n as PicoUsd;

export function picoUsd(amount: bigint): PicoUsd {
  return amount as PicoUsd;
}

export function addUsd(left: PicoUsd, right: PicoUsd): PicoUsd {
  return (left + right) as PicoUsd;
}

export function sumUsd(amounts: Iterable<PicoUsd>): PicoUsd {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total as PicoUsd;
}

/** Decimal USD without trailing zeros, e.g. `21500000n` → `"0.0000215"`. Exact: `parseUsd` gives the amount back. */
export function formatUsd(amount: PicoUsd): string {
  const negative = amount < 0n;
  const digits = (negative ? -amount : amount).toString().padStart(13, '0');
  const whole = digits.slice(0, -12);
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

const DECIMAL_USD = /^(-?)(\d+)(?:\.(\d{1,12}))?$/;

/** Reads what `formatUsd` writes; `undefined` when the text is no decimal of at most 12 places. */
export function parseUsd(text: string): PicoUsd | undefined {
  const match = DECIMAL_USD.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const amount = BigInt(whole) * PICO_PER_USD + BigInt(fraction.padEnd(12, '0'));
  return (sign === '-' ? -amount : amount) as PicoUsd;
}

/** The nearest double, for clients that format money themselves. The exact string always stands beside it. */
export function usdNumber(amount: PicoUsd): number {
  return Number(formatUsd(amount));
}
