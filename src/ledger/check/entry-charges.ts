import type { ChargeLine } from '../charge-line.ts';
import type { EntryFields } from './entry-fields.ts';

/** Pico-dollars of the lines. */
export function lineSum(charges: readonly ChargeLine[]): bigint {
  let sum = 0n;
  for (const { amount } of charges) sum += BigInt(amount);
  return sum;
}

/**
 * Each line is worked out anew; the lines of an attempt add up to what was computed. A contract may take a share off their sum, so
 * with terms the computed cost may be less. Corrections are looked at together with what they correct.
 */
export function chargeProblems(entry: EntryFields): readonly string[] {
  const { charges, kind, computedCost, priceTerms, priceBook } = entry;
  const problems = charges.flatMap((line) => {
    const amount = amountOf(line);
    return amount?.toString() === line.amount ? [] : [lineProblem(line, amount)];
  });
  if (charges.length > 0 && priceBook === '') problems.push('it has price lines and names no price book');
  if (kind !== 'attempt') return problems;
  const sum = lineSum(charges);
  if (computedCost === null && charges.length > 0) problems.push(`its lines make ${sum}, and nothing was computed`);
  const fits = computedCost === null || computedCost === sum || (priceTerms.length > 0 && computedCost <= sum);
  if (!fits) problems.push(`its lines make ${sum}, and ${computedCost} was computed`);
  if (charges.some(({ amount }) => amount.startsWith('-'))) problems.push('an attempt with a line below zero');
  return problems;
}

function lineProblem({ meter, quantity, unit_amount, unit_per, amount }: ChargeLine, right: bigint | null): string {
  const line = `${meter}: ${quantity} × ${unit_amount} per ${unit_per}`;
  return right === null ? `${line} cannot be worked out` : `${line} is ${right}, and the line says ${amount}`;
}

type Ratio = { readonly num: bigint; readonly den: bigint };

const PICO_PER_USD = 1_000_000_000_000n;

/** Quantity × unit price in pico-dollars, rounded half to even; null when one of them is no number. Not by `#pricing`, which made the line. */
function amountOf({ quantity, unit_amount, unit_per }: ChargeLine): bigint | null {
  const negative = quantity.startsWith('-');
  const times = ratioOf(negative ? quantity.slice(1) : quantity);
  const price = ratioOf(unit_amount);
  if (times === null || price === null || !Number.isSafeInteger(unit_per)) return null;
  const num = times.num * price.num * PICO_PER_USD;
  const amount = halfToEven(num, times.den * price.den * BigInt(unit_per));
  return negative ? -amount : amount;
}

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i;
const FRACTION = /^(\d+)\/(\d+)$/;

function ratioOf(text: string): Ratio | null {
  const [, num, den] = FRACTION.exec(text) ?? [];
  if (num !== undefined && den !== undefined) return den === '0' ? null : { num: BigInt(num), den: BigInt(den) };
  const [, whole, places = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return null;
  const scale = Number(exponent) - places.length;
  const digits = BigInt(whole + places);
  return scale >= 0 ? { num: digits * 10n ** BigInt(scale), den: 1n } : { num: digits, den: 10n ** BigInt(-scale) };
}

function halfToEven(num: bigint, den: bigint): bigint {
  const floor = num / den;
  const twice = (num - floor * den) * 2n;
  const up = twice > den || (twice === den && floor % 2n === 1n);
  return up ? floor + 1n : floor;
}
