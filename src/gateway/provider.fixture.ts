import type { ProviderConfig } from '#config';
import { NO_QUIRKS } from '#wires';

/** A provider as the settings give it. */
export function provider(name: string, changes: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name,
    dialects: ['openai'],
    baseUrl: `http://${name}.test/v1`,
    apiKey: 'k',
    credentials: (key) => ({ authorization: `Bearer ${key}` }),
    models: null,
    priceAs: name,
    headers: {},
    onDisconnect: 'drain',
    drain: { maxMs: 1_000, maxBytes: 1_000_000 },
    timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: 1_000 },
    region: '',
    quirks: NO_QUIRKS,
    host: null,
    signIn: null,
    deployments: new Map(),
    pricedBy: 'answer',
    ...changes,
  };
}
