import type { ServedModel } from '../price-list.ts';

const plain = (name: string, [input, cached, output]: readonly [bigint, bigint, bigint]): ServedModel => ({
  snapshot: name,
  input,
  cached,
  output,
  reasons: false,
});

/** Of the providers that speak OpenAI's dialect, as their price pages say. Who states a cost states this one. */
export const COMPATIBLE_MODELS: Readonly<Record<string, ServedModel>> = {
  'grok-4.20': { ...plain('grok-4.20', [1_250_000n, 200_000n, 2_500_000n]), reasons: true },
  'openai/gpt-4o-mini': plain('openai/gpt-4o-mini', [150_000n, 75_000n, 600_000n]),
  'llama-3.3-70b-versatile': plain('llama-3.3-70b-versatile', [590_000n, 590_000n, 790_000n]),
  'mistral-large-2512': plain('mistral-large-2512', [500_000n, 50_000n, 1_500_000n]),
  'deepseek-v4-pro': { ...plain('deepseek-v4-pro', [660_000n, 22_000n, 1_980_000n]), reasons: true },
  sonar: plain('sonar', [1_000_000n, 1_000_000n, 1_000_000n]),
  'meta-llama/Llama-3.3-70B-Instruct-Turbo': plain('meta-llama/Llama-3.3-70B-Instruct-Turbo', [
    880_000n,
    880_000n,
    880_000n,
  ]),
  'accounts/fireworks/models/gpt-oss-120b': plain('accounts/fireworks/models/gpt-oss-120b', [
    150_000n,
    14_000n,
    600_000n,
  ]),
  'qwen3-8b': plain('qwen3-8b', [20_000n, 20_000n, 40_000n]),
};
