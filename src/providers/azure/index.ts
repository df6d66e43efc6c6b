import { NO_QUIRKS } from '#wires';
import type { Provider } from '../provider.ts';
import { openAzure, TAKES } from './access.ts';

/** OpenAI's models at Azure, by deployment: the v1 API, or the one with `api-version`. */
export const azure: Provider = {
  name: 'azure',
  title: 'Azure OpenAI',
  baseUrl: null,
  alsoKnownAs: ['azure_openai'],
  priceAs: 'azure',
  dialects: ['openai'],
  cloud: { takes: TAKES, open: openAzure },
  credentials: (apiKey) => ({ 'api-key': apiKey }),
  keyless: false,
  onDisconnect: 'abort',
  quirks: NO_QUIRKS,
};
