import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';

export const vllm: Provider = {
  name: 'vllm',
  title: 'vLLM',
  baseUrl: null,
  alsoKnownAs: [],
  priceAs: 'vllm',
  dialects: ['openai', 'anthropic'],
  credentials: bearer,
  keyless: true,
  onDisconnect: 'abort',
  quirks: NO_QUIRKS,
};
