import { NO_QUIRKS } from '#wires';
import type { Provider } from '../provider.ts';
import { openVertex, TAKES } from './access.ts';

/** Gemini and Claude in a Google Cloud project. It goes on writing, and billing, when a client leaves. */
export const vertex: Provider = {
  name: 'vertex',
  title: 'Google Vertex AI',
  baseUrl: null,
  alsoKnownAs: ['vertex_ai'],
  priceAs: 'google',
  dialects: ['gemini', 'anthropic'],
  cloud: { takes: TAKES, open: openVertex },
  credentials: (apiKey) => ({ 'x-goog-api-key': apiKey }),
  keyless: false,
  onDisconnect: 'drain',
  quirks: { ...NO_QUIRKS, streamUsage: 'always' },
};
