/** A decimal without a sign: `digits` × 10^-`scale`. */
type Decimal = { readonly digits: bigint; readonly scale: number };

const DECIMAL = /^(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * The sum of amounts as a provider states them, in USD: numbers or decimal texts. A number's shortest text is what stood
 * in the JSON up to 15 digits, so no float is ever added. Undefined when one of them is no amount: half a cost is none.
 */
export function sumStatedUsd(...amounts: readonly unknown[]): string | undefined {
  let sum: Decimal = { digits: 0n, scale: 0 };
  for (const amount of amounts) {
    const decimal = readDecimal(amount);
    if (decimal === undefined) return undefined;
    sum = add(sum, decimal);
  }
  return format(sum);
}

/** An amount in whole units of 10^-`scale` USD, as xAI's ticks are. */
export function fromUnits(units: unknown, scale: number): string | undefined {
  if (typeof units !== 'number' || !Number.isSafeInteger(units) || units < 0) return undefined;
  return format({ digits: BigInt(units), scale });
}

function readDecimal(value: unknown): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const match = DECIMAL.exec(String(value));
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

function add(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  const at = ({ digits, scale: own }: Decimal): bigint => digits * 10n ** BigInt(scale - own);
  return { digits: at(left) + at(right), scale };
}

function format({ digits, scale }: Decimal): string {
  const text = digits.toString().padStart(scale + 1, '0');
  const fraction = text.slice(text.length - scale).replace(/0+$/, '');
  if (scale === 0) return text;
  return `${text.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}
