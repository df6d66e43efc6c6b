import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const sglang: Provider = {
  name: 'sglang',
  title: 'SGLang',
  baseUrl: null,
  alsoKnownAs: [],
  priceAs: 'sglang',
  dialects: ['openai'],
  credentials: bearer,
  keyless: true,
  onDisconnect: 'abort',
  quirks: NO_QUIRKS,
};
