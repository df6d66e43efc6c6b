import { openai } from './openai/index.ts';
import type { Provider } from './provider.ts';

/** Every provider that needs nothing but a key, or an address, to be used. */
export const PROVIDERS: readonly Provider[] = [openai];

export function findProvider(name: string): Provider | undefined {
  return PROVIDERS.find((provider) => provider.name === name || provider.alsoKnownAs.includes(name));
}
