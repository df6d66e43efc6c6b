import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const groq: Provider = {
  name: 'groq',
  title: 'Groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  alsoKnownAs: [],
  priceAs: 'groq',
  dialects: ['openai'],
  credentials: bearer,
  keyless: false,
  // Bills the whole answer, whoever is there to read it.
  onDisconnect: 'drain',
  quirks: NO_QUIRKS,
};
