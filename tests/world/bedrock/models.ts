import type { ServedModel } from '../price-list.ts';

type Rates = readonly [input: bigint, cached: bigint, write5m: bigint, write1h: bigint, output: bigint];

function claude(snapshot: string, [input, cached, write5m, write1h, output]: Rates): ServedModel {
  return { snapshot, input, cached, output, reasons: true, tokens: { write_5m: write5m, write_1h: write1h } };
}

const SONNET = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
const SONNET_NAME = 'claude-sonnet-4-5-20250929';
const REGIONAL_SONNET = claude(SONNET_NAME, [3_300_000n, 330_000n, 4_125_000n, 6_600_000n, 16_500_000n]);

/** By the ids Bedrock takes: what goes to one region, or to several of one part of the world, is a tenth dearer than `global.`. */
export const BEDROCK_MODELS: Readonly<Record<string, ServedModel>> = {
  [`global.${SONNET}`]: claude(SONNET_NAME, [3_000_000n, 300_000n, 3_750_000n, 6_000_000n, 15_000_000n]),
  [`us.${SONNET}`]: REGIONAL_SONNET,
  [`eu.${SONNET}`]: REGIONAL_SONNET,
  [`apac.${SONNET}`]: REGIONAL_SONNET,
  [SONNET]: REGIONAL_SONNET,
  'amazon.nova-lite-v1:0': {
    snapshot: 'amazon.nova-lite-v1:0',
    input: 60_000n,
    cached: 15_000n,
    output: 240_000n,
    reasons: false,
  },
  'us.amazon.nova-pro-v1:0': {
    snapshot: 'amazon.nova-pro-v1:0',
    input: 800_000n,
    cached: 200_000n,
    output: 3_200_000n,
    reasons: false,
  },
  'meta.llama3-3-70b-instruct-v1:0': {
    snapshot: 'meta.llama3-3-70b-instruct-v1:0',
    input: 720_000n,
    cached: 0n,
    output: 720_000n,
    reasons: false,
  },
};

/** An inference profile of the account's own stands for a model that only its owner knows. */
export const OWN_PROFILE = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123';

const OWN: ReadonlyMap<string, string> = new Map([[OWN_PROFILE, `us.${SONNET}`]]);

export function servedModel(id: string): { readonly id: string; readonly served: ServedModel } | undefined {
  const named = OWN.get(id) ?? id.replace(/^arn:aws:bedrock:[^/]*\//, '');
  const served = BEDROCK_MODELS[named];
  return served === undefined ? undefined : { id: named, served };
}
