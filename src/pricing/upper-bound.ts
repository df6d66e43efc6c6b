import { METERS, picoUsd, type PicoUsd } from '#terms';
import { divideUp, type Ratio } from './amount.ts';
import type { PriceMatch } from './price-match.ts';

/** The most one attempt can consume. */
export type TokenBound = {
  readonly inputTokens: number;
  /** Per choice; null when the request sets no limit: the model's own then holds. */
  readonly outputTokens: number | null;
  /** Choices asked for. */
  readonly n: number;
  /** The tier it will be served in, where that is known (a batch); else the dearest holds. */
  readonly serviceTier?: string;
};

/**
 * What an attempt can cost at most by its tokens: the dearest price of each side over every context tier its input can
 * reach and every service tier. Null when a side has no price or no limit. Fees beside tokens are not in it.
 */
export function upperBound(match: PriceMatch | undefined, bound: TokenBound): PicoUsd | null {
  if (match === undefined) return null;
  // No choice can be longer than the context the model has.
  const perChoice = bound.outputTokens ?? match.maxOutputTokens ?? match.contextWindow;
  if (perChoice === null) return null;
  const counts = { input: bound.inputTokens, output: perChoice * bound.n };
  if (!Object.values(counts).every((count) => Number.isSafeInteger(count) && count >= 0)) return null;
  let dearest = 0n;
  for (const { fromTokens, ceiling: dearestTier, ceilings } of match.bands) {
    if (fromTokens > counts.input) continue;
    const ceiling = bound.serviceTier === undefined ? dearestTier : ceilings.get(bound.serviceTier);
    // A tier that is not sold at this size has no price there.
    if (ceiling === undefined) return null;
    const input = sideBound(ceiling.input, counts.input);
    const output = sideBound(ceiling.output, counts.output);
    if (input === null || output === null) return null;
    // Each line may round up by half a pico-dollar, and a side may be split over many lines.
    const total = input + output + (ceiling.whole ? 0n : BigInt(METERS.length));
    if (total > dearest) dearest = total;
  }
  return picoUsd(dearest);
}

function sideBound(price: Ratio | null, tokens: number): bigint | null {
  if (tokens === 0) return 0n;
  return price === null ? null : divideUp(BigInt(tokens) * price.num, price.den);
}
