import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';

/** Where calls go: a gateway or an upstream, without `/v1`. */
export type Target = { readonly url: string; readonly key: string };

export type Clients = { readonly openai: OpenAI; readonly anthropic: Anthropic; readonly gemini: GoogleGenAI };

/**
 * The three official clients, without retries of their own. They hide headers, comments and the end of streams, so a
 * `fetch` of the test's own may listen to what passes.
 */
export function makeClients({ url, key }: Target, listen: typeof fetch = fetch): Clients {
  return {
    openai: new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, fetch: listen }),
    anthropic: new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0, fetch: listen }),
    gemini: new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url, fetch: listen } }),
  };
}
