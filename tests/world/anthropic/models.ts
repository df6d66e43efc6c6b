import type { ServedModel } from '../price-list.ts';

/** Web searches cost $10 for 1,000. */
const FEES = { web_search: 10_000_000_000n };

/** In dollars a million tokens: input, cache read, writes for 5 minutes and 1 hour, output. */
type Rates = readonly [input: bigint, cached: bigint, write5m: bigint, write1h: bigint, output: bigint];

function claude(snapshot: string, [input, cached, write5m, write1h, output]: Rates): ServedModel {
  const tokens = { write_5m: write5m, write_1h: write1h };
  return { snapshot, input, cached, output, reasons: true, tokens, fees: FEES };
}

/** Anthropic's, as its price page says. */
export const ANTHROPIC_MODELS: Readonly<Record<string, ServedModel>> = {
  'claude-haiku-4-5': claude('claude-haiku-4-5-20251001', [1_000_000n, 100_000n, 1_250_000n, 2_000_000n, 5_000_000n]),
  'claude-sonnet-4-5': {
    ...claude('claude-sonnet-4-5-20250929', [3_000_000n, 300_000n, 3_750_000n, 6_000_000n, 15_000_000n]),
    longContext: {
      above: 200_000,
      prices: {
        input: 6_000_000n,
        cached: 600_000n,
        write_5m: 7_500_000n,
        write_1h: 12_000_000n,
        output: 22_500_000n,
      },
    },
  },
  'claude-opus-4-5': claude('claude-opus-4-5-20251101', [5_000_000n, 500_000n, 6_250_000n, 10_000_000n, 25_000_000n]),
  // Processed in the US only, tokens cost a tenth more since Opus 4.6.
  'claude-opus-4-8': {
    ...claude('claude-opus-4-8', [5_000_000n, 500_000n, 6_250_000n, 10_000_000n, 25_000_000n]),
    factors: { us: [11n, 10n] },
  },
};
