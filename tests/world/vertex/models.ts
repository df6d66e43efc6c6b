import type { ServedModel } from '../price-list.ts';

const TENTH_DEARER = [11n, 10n] as const;

/** Claude's prices are those of the global endpoint; every other one is a tenth dearer since Claude 4.5. */
export const VERTEX_MODELS: Readonly<Record<string, ServedModel>> = {
  'claude-sonnet-4-5@20250929': {
    snapshot: 'claude-sonnet-4-5-20250929',
    input: 3_000_000n,
    cached: 300_000n,
    output: 15_000_000n,
    reasons: true,
    tokens: { write_5m: 3_750_000n, write_1h: 6_000_000n },
    fees: { web_search: 10_000_000_000n },
    factors: { 'europe-west1': TENTH_DEARER, us: TENTH_DEARER },
  },
  'claude-haiku-4-5@20251001': {
    snapshot: 'claude-haiku-4-5-20251001',
    input: 1_000_000n,
    cached: 100_000n,
    output: 5_000_000n,
    reasons: true,
    tokens: { write_5m: 1_250_000n, write_1h: 2_000_000n },
    fees: { web_search: 10_000_000_000n },
    factors: { 'europe-west1': TENTH_DEARER, us: TENTH_DEARER },
  },
};
