import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const ollama: Provider = {
  name: 'ollama',
  title: 'Ollama',
  baseUrl: 'http://localhost:11434/v1',
  alsoKnownAs: [],
  priceAs: 'ollama',
  dialects: ['openai', 'anthropic'],
  credentials: bearer,
  keyless: true,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, limitField: 'max_tokens' },
};
