import { NO_QUIRKS } from '#wires';
import type { Provider } from '../provider.ts';

/**
 * Google's Gemini API in its own dialect: `/v1beta/models/{model}:generateContent`. It goes on writing, and billing, when a
 * client leaves.
 */
export const gemini: Provider = {
  name: 'gemini',
  title: 'Google Gemini',
  baseUrl: 'https://generativelanguage.googleapis.com',
  alsoKnownAs: ['google'],
  priceAs: 'google',
  dialects: ['gemini'],
  credentials: (apiKey) => ({ 'x-goog-api-key': apiKey }),
  keyless: false,
  onDisconnect: 'drain',
  quirks: NO_QUIRKS,
};
