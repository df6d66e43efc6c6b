import { formatUsd, usdNumber, type PicoUsd } from '#terms';

/** An amount in LiteLLM's words, the exact string beside it. */
export function toWireSpend(amount: PicoUsd): { readonly spend: number; readonly spend_exact: string } {
  return { spend: usdNumber(amount), spend_exact: formatUsd(amount) };
}
