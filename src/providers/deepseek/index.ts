import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import { chatOnly } from '../chat-only.ts';
import type { Provider } from '../provider.ts';

export const deepseek: Provider = {
  name: 'deepseek',
  title: 'DeepSeek',
  baseUrl: 'https://api.deepseek.com/v1',
  alsoKnownAs: [],
  priceAs: 'deepseek',
  dialects: ['openai'],
  credentials: bearer,
  host: chatOnly,
  keyless: false,
  onDisconnect: 'abort',
  quirks: { ...NO_QUIRKS, limitField: 'max_tokens' },
};
