import type { ServedModel } from '../price-list.ts';

/** Cohere's, as its price page says. */
export const COHERE_MODELS: Readonly<Record<string, ServedModel>> = {
  'command-a-03-2025': {
    snapshot: 'command-a-03-2025',
    input: 2_500_000n,
    cached: 2_500_000n,
    output: 10_000_000n,
    reasons: false,
  },
  'embed-v4.0': {
    serves: 'embed',
    snapshot: 'embed-v4.0',
    input: 120_000n,
    cached: 120_000n,
    output: 0n,
    reasons: false,
  },
  'rerank-v3.5': {
    serves: 'rerank',
    snapshot: 'rerank-v3.5',
    input: 0n,
    cached: 0n,
    output: 0n,
    reasons: false,
    fees: { search: 2_000_000_000n },
  },
};
