import { NO_QUIRKS, type UsageObject } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';
import { fromUnits } from '../stated-cost.ts';

export const xai: Provider = {
  name: 'xai',
  title: 'xAI',
  baseUrl: 'https://api.x.ai/v1',
  alsoKnownAs: ['x-ai'],
  priceAs: 'x-ai',
  dialects: ['openai'],
  credentials: bearer,
  keyless: false,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, reasoning: 'outside', reportedCost },
};

/** What was billed, tools included: ticks of 1e-10 USD. */
function reportedCost(usage: UsageObject): string | undefined {
  return fromUnits(usage['cost_in_usd_ticks'], 10);
}
