import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const litellm: Provider = {
  name: 'litellm',
  title: 'LiteLLM',
  baseUrl: null,
  alsoKnownAs: [],
  priceAs: 'litellm',
  dialects: ['openai', 'anthropic'],
  credentials: bearer,
  keyless: true,
  onDisconnect: 'abort',
  // Of a stream nobody knows the cost when its headers are sent: absent or 0 there, and then computed.
  quirks: { ...NO_QUIRKS, reportedCostHeader: 'x-litellm-response-cost' },
};
