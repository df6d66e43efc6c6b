import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import { chatOnly } from '../chat-only.ts';
import type { Provider } from '../provider.ts';

export const together: Provider = {
  name: 'together',
  title: 'Together AI',
  baseUrl: 'https://api.together.xyz/v1',
  alsoKnownAs: ['togetherai', 'together_ai'],
  priceAs: 'together',
  dialects: ['openai'],
  credentials: bearer,
  host: chatOnly,
  keyless: false,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, limitField: 'max_tokens' },
};
