import { formatCount } from './quantity.ts';

const PER: Readonly<Record<number, string>> = { 1: '', 1000: ' / 1K', 1_000_000: ' / 1M' };

/** `$0.15 / 1M`: an exact amount for so many units. */
export function formatUnitPrice({ amount, per }: { readonly amount: string; readonly per: number }): string {
  return `$${amount.replace(/^(\d+)(?:\.(\d))?$/, cents)}${PER[per] ?? ` / ${formatCount(per)}`}`;
}

/** `0.6` → `0.60`; longer fractions stay as they are. */
function cents(_amount: string, whole: string, tenths: string | undefined): string {
  return `${whole}.${tenths ?? '0'}0`;
}
