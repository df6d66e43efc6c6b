import { NO_QUIRKS, type UsageObject } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';
import { sumStatedUsd } from '../stated-cost.ts';

export const openrouter: Provider = {
  name: 'openrouter',
  title: 'OpenRouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  alsoKnownAs: [],
  priceAs: 'openrouter',
  dialects: ['openai', 'anthropic'],
  credentials: bearer,
  keyless: false,
  onDisconnect: 'abort',
  // `include_usage` has no effect any more: usage comes with the last event unasked.
  quirks: { ...NO_QUIRKS, streamUsage: 'always', reportedCost },
};

/**
 * `cost` is what the account is charged, in credits of one USD. With a key of one's own that is only the fee: the model's
 * provider bills `upstream_inference_cost` beside it. Without own keys that field repeats what `cost` contains.
 */
function reportedCost(usage: UsageObject): string | undefined {
  if (usage['is_byok'] !== true) return sumStatedUsd(usage['cost']);
  const details = usage['cost_details'];
  if (typeof details !== 'object' || details === null || !('upstream_inference_cost' in details)) return undefined;
  return sumStatedUsd(usage['cost'], details.upstream_inference_cost);
}
