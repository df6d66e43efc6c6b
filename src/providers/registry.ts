import { anthropic } from './anthropic/index.ts';
import { azure } from './azure/index.ts';
import { bedrock } from './bedrock/index.ts';
import { cohere } from './cohere/index.ts';
import { deepseek } from './deepseek/index.ts';
import { fireworks } from './fireworks/index.ts';
import { gemini } from './gemini/index.ts';
import { groq } from './groq/index.ts';
import { litellm } from './litellm/index.ts';
import { mistral } from './mistral/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openrouter } from './openrouter/index.ts';
import { perplexity } from './perplexity/index.ts';
import { sglang } from './sglang/index.ts';
import { together } from './together/index.ts';
import { vertex } from './vertex/index.ts';
import { vllm } from './vllm/index.ts';
import { xai } from './xai/index.ts';
import type { Provider } from './provider.ts';

/** Every provider that Apportion knows; most need nothing but a key, or an address, to be used. */
export const PROVIDERS: readonly Provider[] = [
  openai,
  anthropic,
  gemini,
  azure,
  bedrock,
  vertex,
  cohere,
  mistral,
  deepseek,
  xai,
  groq,
  together,
  fireworks,
  openrouter,
  perplexity,
  litellm,
  vllm,
  sglang,
  ollama,
];

export function findProvider(name: string): Provider | undefined {
  return PROVIDERS.find((provider) => provider.name === name || provider.alsoKnownAs.includes(name));
}
