import { NO_QUIRKS, type UsageObject } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';
import { sumStatedUsd } from '../stated-cost.ts';

export const perplexity: Provider = {
  name: 'perplexity',
  title: 'Perplexity',
  // Serves the Agent API, which is OpenAI's Responses; Sonar's chat completions stand beside it, without `/v1`.
  baseUrl: 'https://api.perplexity.ai/v1',
  alsoKnownAs: ['pplx'],
  priceAs: 'perplexity',
  dialects: ['openai'],
  credentials: bearer,
  keyless: false,
  // Bills the whole answer, whoever is there to read it.
  onDisconnect: 'drain',
  quirks: { ...NO_QUIRKS, limitField: 'max_tokens', streamUsage: 'always', reportedCost },
};

/** Tokens, searches and the fee of the request together. */
function reportedCost(usage: UsageObject): string | undefined {
  const cost = usage['cost'];
  return typeof cost === 'object' && cost !== null && 'total_cost' in cost ? sumStatedUsd(cost.total_cost) : undefined;
}
