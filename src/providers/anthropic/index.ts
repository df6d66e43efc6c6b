import { NO_QUIRKS } from '#wires';
import type { Provider } from '../provider.ts';

export const anthropic: Provider = {
  name: 'anthropic',
  title: 'Anthropic',
  // Anthropic's own SDKs write addresses without /v1; the call path joins either way.
  baseUrl: 'https://api.anthropic.com',
  alsoKnownAs: [],
  priceAs: 'anthropic',
  dialects: ['anthropic'],
  credentials: (apiKey) => ({ 'x-api-key': apiKey }),
  keyless: false,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, streamUsage: 'always' },
};
