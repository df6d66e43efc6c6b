/** Disjoint quantities in the upstream's own words: every token, search, second or image is in exactly one of them. */
export type BilledMeters = Readonly<Record<string, number>>;

/** Pico-dollars per token or piece. 1 $ per million tokens = 1,000,000 pico-dollars per token. */
export type Prices = Readonly<Record<string, bigint>>;

/**
 * One model of the upstream's own price list, typed in from the providers' public prices. It shares nothing with
 * `src/pricing`: when both arrive at the same pico-dollar, two independent calculations agree.
 */
export type ServedModel = {
  /** The only operation that answers for it; whatever writes text when not said. */
  readonly serves?: string;
  /** The dated name the answer carries. */
  readonly snapshot: string;
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  readonly reasons: boolean;
  /** Tokens of further kinds, by meter. */
  readonly tokens?: Prices;
  /** What is not counted in tokens, by meter: searches, seconds, characters, images. */
  readonly fees?: Prices;
  /** Beyond this many input tokens of all kinds, every token of the request costs this instead. */
  readonly longContext?: { readonly above: number; readonly prices: Prices };
  /** What a service tier or a place multiplies the price of every token with, as numerator and denominator. */
  readonly factors?: Readonly<Record<string, readonly [bigint, bigint]>>;
};

/** `words`: the tier and the place that were served. A meter without a price is a mistake of the test's. */
export function costOf(model: ServedModel, meters: BilledMeters, words: readonly string[] = []): bigint {
  const prices = pricesFor(model, meters);
  const factors = words.flatMap((word) => (model.factors?.[word] === undefined ? [] : [model.factors[word]]));
  let total = 0n;
  for (const [meter, quantity] of Object.entries(meters)) {
    const fee = model.fees?.[meter];
    const price = fee ?? prices[meter];
    if (price === undefined) throw new Error(`the upstream has no price for ${meter} of ${model.snapshot}`);
    const amount = BigInt(quantity) * price;
    total += fee === undefined ? multiplied(amount, factors) : amount;
  }
  return total;
}

function pricesFor(model: ServedModel, meters: BilledMeters): Prices {
  const { input, cached, output, tokens = {}, longContext } = model;
  const base = { input, cached, output, ...tokens };
  if (longContext === undefined) return base;
  let inputs = 0;
  for (const [meter, quantity] of Object.entries(meters)) if (meter in base && meter !== 'output') inputs += quantity;
  return inputs > longContext.above ? longContext.prices : base;
}

function multiplied(amount: bigint, factors: readonly (readonly [bigint, bigint])[]): bigint {
  let numerator = amount;
  let denominator = 1n;
  for (const [times, per] of factors) {
    numerator *= times;
    denominator *= per;
  }
  if (numerator % denominator !== 0n) throw new Error('choose prices that stay whole pico-dollars');
  return numerator / denominator;
}
