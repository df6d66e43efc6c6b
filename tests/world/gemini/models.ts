import type { ServedModel } from '../price-list.ts';

/** Gemini 2.5 pays by the prompt that was grounded, Gemini 3 by the query. */
const BY_PROMPT = { grounded_prompt: 35_000_000_000n };
const BY_QUERY = { web_search: 14_000_000_000n };

const HALF = { flex: [1n, 2n] } as const;

/** Google's, as the price page of the Gemini API says. */
export const GEMINI_MODELS: Readonly<Record<string, ServedModel>> = {
  'gemini-2.5-flash': {
    snapshot: 'gemini-2.5-flash',
    input: 300_000n,
    cached: 30_000n,
    output: 2_500_000n,
    reasons: true,
    tokens: { audio: 1_000_000n },
    fees: BY_PROMPT,
    factors: HALF,
  },
  'gemini-2.5-pro': {
    snapshot: 'gemini-2.5-pro',
    input: 1_250_000n,
    cached: 125_000n,
    output: 10_000_000n,
    reasons: true,
    fees: BY_PROMPT,
    longContext: { above: 200_000, prices: { input: 2_500_000n, cached: 250_000n, output: 15_000_000n } },
  },
  'gemini-2.5-flash-lite': {
    snapshot: 'gemini-2.5-flash-lite',
    input: 100_000n,
    cached: 10_000n,
    output: 400_000n,
    reasons: false,
    fees: BY_PROMPT,
  },
  'gemini-3-pro-preview': {
    snapshot: 'gemini-3-pro-preview',
    input: 2_000_000n,
    cached: 200_000n,
    output: 12_000_000n,
    reasons: true,
    fees: BY_QUERY,
    longContext: { above: 200_000, prices: { input: 4_000_000n, cached: 400_000n, output: 18_000_000n } },
  },
  'gemini-embedding-001': {
    serves: 'embedContent',
    snapshot: 'gemini-embedding-001',
    input: 150_000n,
    cached: 150_000n,
    output: 0n,
    reasons: false,
  },
};
