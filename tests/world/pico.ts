/** The tests' own reading of money, so that a mistake in `src/terms` cannot hide itself. 1 USD = 1e12 pico-dollars. */
export function pico(usd: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,12}))?$/.exec(usd);
  if (match === null) throw new Error(`not an exact amount of USD: ${JSON.stringify(usd)}`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  const amount = BigInt(`${whole}${fraction.padEnd(12, '0')}`);
  return sign === '-' ? -amount : amount;
}

/** For messages: all twelve places, so that two amounts can be compared by eye. */
export function picoText(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(13, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`;
}
