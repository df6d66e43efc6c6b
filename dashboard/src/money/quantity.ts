const COMPACT_FROM = 100_000;

const whole = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 4 });

/** `1,284`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `41,208`, and from a hundred thousand on `1.284M`; the exact figure belongs in a title beside it. */
export function formatCompact(count: number): string {
  return count < COMPACT_FROM ? whole.format(count) : compact.format(count);
}

/** `840 ms`, `2.41 s`, `1 min 12 s`, and for conversations `3 h 20 min`, `2 d 4 h`. */
export function formatLatency(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Rounded so that a part never reads as nothing, nor a rest as all. */
export function formatShare(share: number): string {
  if (share <= 0) return '0%';
  if (share >= 1) return '100%';
  if (share < 0.001) return '<0.1%';
  if (share > 0.999) return '>99.9%';
  return `${(share * 100).toFixed(share < 0.0995 || share > 0.99 ? 1 : 0)}%`;
}

/** Axis labels share one number of decimals: what their step needs. */
export function formatAxisMoney(value: number, step: number): string {
  if (value === 0) return '$0';
  const decimals = step >= 1 ? 0 : Math.max(2, Math.ceil(-Math.log10(step) - 1e-9));
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return `$${value.toLocaleString('en-US', options)}`;
}

export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Null is what nobody knows. */
type Tokens = { readonly input_tokens: number | null; readonly output_tokens: number | null };

export function tokenSum({ input_tokens, output_tokens }: Tokens): number | null {
  return input_tokens === null || output_tokens === null ? null : input_tokens + output_tokens;
}

export function tokenWords({ input_tokens, output_tokens }: Tokens): string {
  if (input_tokens === null || output_tokens === null) return 'not known';
  return `${formatCount(input_tokens)} in, ${formatCount(output_tokens)} out`;
}
