import { picoText } from './pico.ts';

/** OpenAI's counts: cached tokens are inside prompt tokens, reasoning tokens inside completion tokens. */
export type BilledUsage = {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
};

export type Operation = 'chat' | 'completions' | 'embeddings';

/** Pico-dollars per token. 1 $ per million tokens = 1,000,000 pico-dollars per token. */
export type ServedModel = {
  /** The only route that answers for it; chat when not said. */
  readonly serves?: Operation;
  /** The dated name the answer carries. */
  readonly snapshot: string;
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  readonly reasons: boolean;
};

/**
 * The upstream's own price list, typed in from OpenAI's public prices. It shares nothing with `src/pricing`: when both
 * arrive at the same pico-dollar, two independent calculations agree.
 */
export const SERVED_MODELS: Readonly<Record<string, ServedModel>> = {
  'gpt-4o': {
    snapshot: 'gpt-4o-2024-08-06',
    input: 2_500_000n,
    cached: 1_250_000n,
    output: 10_000_000n,
    reasons: false,
  },
  'gpt-4o-mini': {
    snapshot: 'gpt-4o-mini-2024-07-18',
    input: 150_000n,
    cached: 75_000n,
    output: 600_000n,
    reasons: false,
  },
  o3: { snapshot: 'o3-2025-04-16', input: 2_000_000n, cached: 500_000n, output: 8_000_000n, reasons: true },
  'gpt-5-mini': {
    snapshot: 'gpt-5-mini-2025-08-07',
    input: 250_000n,
    cached: 25_000n,
    output: 2_000_000n,
    reasons: true,
  },
  'gpt-3.5-turbo-instruct': {
    serves: 'completions',
    snapshot: 'gpt-3.5-turbo-instruct:20230824-v2',
    input: 1_500_000n,
    cached: 1_500_000n,
    output: 2_000_000n,
    reasons: false,
  },
  'text-embedding-3-small': {
    serves: 'embeddings',
    snapshot: 'text-embedding-3-small',
    input: 20_000n,
    cached: 20_000n,
    output: 0n,
    reasons: false,
  },
};

/** `running` while it is being answered; `broken` when the other side went away or a scripted fault struck. */
export type Delivery = 'running' | 'complete' | 'broken';

export type BillEntry = {
  /** The `id` in the answer's body; for embeddings, whose answers have none, the `x-request-id` header. */
  readonly id: string;
  readonly model: string;
  readonly usage: BilledUsage;
  readonly cost: bigint;
  readonly stream: boolean;
  readonly delivery: Delivery;
};

export type Bill = { readonly entries: readonly BillEntry[]; readonly total: bigint };

export function costOf(model: ServedModel, usage: BilledUsage): bigint {
  const fresh = BigInt(usage.promptTokens - usage.cachedTokens) * model.input;
  return fresh + BigInt(usage.cachedTokens) * model.cached + BigInt(usage.completionTokens) * model.output;
}

export function totalOf(entries: Iterable<Pick<BillEntry, 'cost'>>): bigint {
  let total = 0n;
  for (const entry of entries) total += entry.cost;
  return total;
}

export function toWireBill(bill: Bill): string {
  return JSON.stringify({
    total: bill.total.toString(),
    total_usd: picoText(bill.total),
    entries: bill.entries.map((entry) => ({ ...entry, cost: entry.cost.toString() })),
  });
}

type WireBill = { total: string; entries: (Omit<BillEntry, 'cost'> & { cost: string })[] };

export function fromWireBill(text: string): Bill {
  const wire: WireBill = JSON.parse(text);
  return {
    total: BigInt(wire.total),
    entries: wire.entries.map((entry) => ({ ...entry, cost: BigInt(entry.cost) })),
  };
}
