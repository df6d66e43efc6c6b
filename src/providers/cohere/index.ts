import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

/** Cohere in its own format, version 2. What is billed is in `billed_units`; what the model saw is more. */
export const cohere: Provider = {
  name: 'cohere',
  title: 'Cohere',
  baseUrl: 'https://api.cohere.com',
  alsoKnownAs: ['co'],
  priceAs: 'cohere',
  dialects: ['cohere'],
  credentials: bearer,
  keyless: false,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, streamUsage: 'always' },
};
