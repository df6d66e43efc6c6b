import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import { chatOnly } from '../chat-only.ts';
import type { Provider } from '../provider.ts';

export const mistral: Provider = {
  name: 'mistral',
  title: 'Mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  alsoKnownAs: [],
  priceAs: 'mistral',
  dialects: ['openai'],
  credentials: bearer,
  host: chatOnly,
  keyless: false,
  // Bills the whole answer, whoever is there to read it.
  onDisconnect: 'drain',
  // `stream_options` is answered with 422; usage comes with the last chunk unasked.
  quirks: { ...NO_QUIRKS, limitField: 'max_tokens', streamUsage: 'always' },
};
