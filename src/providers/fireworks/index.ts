import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const fireworks: Provider = {
  name: 'fireworks',
  title: 'Fireworks AI',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  alsoKnownAs: ['fireworks_ai'],
  priceAs: 'fireworks',
  dialects: ['openai'],
  credentials: bearer,
  keyless: false,
  onDisconnect: 'abort',
  quirks: NO_QUIRKS,
};
