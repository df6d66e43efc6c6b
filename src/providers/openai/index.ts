import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  baseUrl: 'https://api.openai.com/v1',
  alsoKnownAs: [],
  priceAs: 'openai',
  dialects: ['openai'],
  credentials: bearer,
  keyless: false,
  onDisconnect: 'abort',
  quirks: NO_QUIRKS,
};
